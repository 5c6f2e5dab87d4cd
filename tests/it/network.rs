//! Proxies and trusted roots: a service with a certificate of its own behind a proxy on loopback.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use tickmark::azure::{
    Api, Ask, Cloud, CredentialKind, CredentialSettings, Door, Endpoints, Live, LiveSettings, Method, Network, Pace,
    Proxy, Refused, TransportError,
};

use super::harness::Bench;
use super::replay::StillClock;

const NAME: &str = "azure.example";

/// A proxy that leads every tunnel to one address; notes what it was asked for.
struct Tunnel {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    fn start(to: Option<u16>) -> Tunnel {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = asked.clone();
        spawn(move || {
            for stream in listener.incoming() {
                let (stream, noted) = (stream.expect("a connection"), noted.clone());
                spawn(move || dig(stream, to, &noted));
            }
        });
        Tunnel { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a lock").clone()
    }
}

fn dig(mut near: TcpStream, to: Option<u16>, noted: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(near.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    noted.lock().expect("a lock").push(line);
    let Some(mut far) = to.and_then(|port| TcpStream::connect(("127.0.0.1", port)).ok()) else {
        let _ = near.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        return;
    };
    near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").expect("sent");
    let (mut back, mut forth) = (near.try_clone().expect("a handle"), far.try_clone().expect("a handle"));
    let to_far = spawn(move || {
        let _ = std::io::copy(&mut near, &mut forth);
        let _ = forth.shutdown(Shutdown::Both);
    });
    let _ = std::io::copy(&mut far, &mut back);
    let _ = back.shutdown(Shutdown::Both);
    let _ = to_far.join();
}

/// `openssl s_server`, which answers with the file of the path that is asked for.
struct Tls {
    child: Child,
    port: u16,
}

impl Tls {
    /// With a certificate for [`NAME`] that is signed by the root in `root.pem`.
    fn start(folder: &Path) -> Tls {
        let openssl = |arguments: &str| {
            let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
            let output = output.expect("openssl runs");
            assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        let authority = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign";
        openssl(&format!("req -x509 {ec} -keyout root.key -out root.pem -days 2 -subj /CN=root {authority}"));
        openssl(&format!("req -new {ec} -keyout key.pem -out server.csr -subj /CN=server"));
        fs::write(folder.join("names"), format!("subjectAltName=DNS:{NAME}\n")).expect("written");
        openssl(
            "x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile names -out cert.pem",
        );
        fs::create_dir(folder.join("pages")).expect("a folder");
        let body = r#"{"value":[]}"#;
        let page = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        fs::write(folder.join("pages/subscriptions"), page).expect("written");
        // a port that was free a moment ago
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-HTTP", "-cert", "../cert.pem", "-key", "../key.pem"]);
        command.args(["-accept", &format!("127.0.0.1:{port}")]).current_dir(folder.join("pages"));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let tls = Tls { child: child.expect("openssl runs"), port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not listen");
            sleep(Duration::from_millis(20));
        }
        tls
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ask(network: Network) -> Result<(u16, Vec<u8>), Refused> {
    let at = || format!("https://{NAME}");
    let endpoints =
        Endpoints { authority: at(), resource_manager: at(), graph: at(), log_analytics: at(), key_vault: None };
    let cloud = Cloud::custom(&endpoints).expect("endpoints");
    let token = Some("hunter2".to_owned());
    let credential = CredentialSettings { kind: CredentialKind::Token, token, ..CredentialSettings::default() };
    let settings = LiveSettings { credential, network, ..LiveSettings::default() };
    let clock = Arc::new(StillClock("2026-10-02T09:00:00Z".parse().expect("a time")));
    let live = Live::connect(cloud.clone(), settings, clock.clone()).await.expect("a client");
    let url = cloud.url(Api::ResourceManager, "/subscriptions");
    let door = Door::new(Arc::new(live), cloud, clock, Pace { tries_on_failure: 1, ..Pace::default() });
    let ask = Ask { api: Api::ResourceManager, method: Method::Get, url, headers: Vec::new(), body: None };
    let answered = door.ask(ask).await?;
    Ok((answered.answer.status, answered.answer.body))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_an_own_root_is_asked_through_a_proxy_and_no_other_is_trusted() {
    let folder = tempfile::tempdir().expect("a folder");
    let tls = Tls::start(folder.path());
    let tunnel = Tunnel::start(Some(tls.port));
    let proxy = Some(Proxy { address: format!("http://{}", tunnel.address), not_for: String::new() });
    let root = fs::read(folder.path().join("root.pem")).expect("a root");
    let trusted = ask(Network { extra_roots: Some(root), proxy: proxy.clone() }).await;
    assert_eq!(trusted, Ok((200, br#"{"value":[]}"#.to_vec())));
    assert_eq!(tunnel.asked(), [format!("CONNECT {NAME}:443 HTTP/1.1")]);

    let error = ask(Network { extra_roots: None, proxy }).await.expect_err("nobody vouches for it");
    let Refused::Failed { error: TransportError::Connect(why), .. } = error else { panic!("{error}") };
    assert!(why.contains("certificate"), "{why}");
}

#[test]
fn the_program_takes_the_proxy_of_its_environment() {
    let tunnel = Tunnel::start(None);
    let bench = Bench::new()
        .with("HTTPS_PROXY", &format!("http://{}", tunnel.address))
        .with("HTTP_PROXY", "http://127.0.0.1:9")
        .with("TICKMARK_TOKEN", "hunter2");
    bench.write(
        "tickmark.toml",
        &format!(
            "[organisation]\nname = \"n\"\nsystem = \"s\"\n\n[azure]\ncloud = \"custom\"\ncredential = \"token\"\n\
             tenant_id = \"11111111-1111-1111-1111-111111111111\"\n\n[azure.endpoints]\n\
             authority = \"https://{NAME}\"\nresource_manager = \"https://arm.{NAME}\"\n\
             graph = \"https://graph.{NAME}\"\nlog_analytics = \"https://logs.{NAME}\"\n"
        ),
    );
    let mut child = bench.start(&["collect"]);
    let begun = Instant::now();
    while tunnel.asked().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the proxy was not asked");
        sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("it is dead");
    let asked = tunnel.asked();
    assert!(asked.iter().all(|line| line == &format!("CONNECT arm.{NAME}:443 HTTP/1.1")), "{asked:?}");
}

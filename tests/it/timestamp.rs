//! A pack with the time of an RFC 3161 authority: a throwaway one on loopback, made with openssl.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::{Bench, tenant_folder};

const CONFIG: &str = "[req]\ndistinguished_name = dn\n[dn]\n[tsa]\ndefault_tsa = main\n[main]\nserial = serial\n\
                      signer_cert = tsa.crt\nsigner_key = tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\n\
                      digests = sha256\n";

fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    output.is_ok_and(|output| output.status.success())
}

/// Answers time-stamp queries until the process ends. Returns its address.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/tsr", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let query = body(&mut stream);
            fs::write(folder.join("query.tsq"), query).expect("a query");
            assert!(openssl(
                &folder,
                &["ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr"]
            ));
            let reply = fs::read(folder.join("reply.tsr")).expect("a reply");
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                reply.len()
            );
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply)).expect("sent");
        }
    });
    address
}

fn body(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let start = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
            if bytes.len() - start >= length.expect("a length") {
                return bytes.split_off(start);
            }
        }
        let read = stream.read(&mut piece).expect("readable");
        assert!(read > 0, "the request broke off");
        bytes.extend_from_slice(&piece[..read]);
    }
}

#[test]
fn an_authority_puts_its_time_on_the_signature() {
    let authority = tempfile::tempdir().expect("a folder");
    fs::write(authority.path().join("tsa.cnf"), CONFIG).expect("written");
    fs::write(authority.path().join("serial"), "01\n").expect("written");
    let request = [
        "req",
        "-config",
        "tsa.cnf",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "tsa.key",
        "-out",
        "tsa.crt",
        "-days",
        "2",
        "-subj",
        "/CN=Test TSA",
        "-addext",
        "extendedKeyUsage=critical,timeStamping",
    ];
    if !openssl(authority.path(), &request) {
        eprintln!("SKIPPED: openssl is not there");
        return;
    }
    let address = serve(authority.path().to_owned());
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "x");
    bench.run(&["init", "--tenant", "11111111-1111-1111-1111-111111111111"]);
    let config = bench.read("tickmark.toml").replace("# tsa = []", &format!("tsa = [\"{address}\"] #"));
    bench.write("tickmark.toml", &config);

    let recording = tenant_folder("empty").display().to_string();
    let ran = bench.run(&["run", "--replay", &recording, "--period", "2026Q3", "--out", "pack"]);
    assert!([0, 3].contains(&ran.code), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("time-stamp 20"), "{}", ran.err);
    let verified = bench.run(&["verify", "pack", "--key", "keys/tickmark.pub.pem"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
    let by_openssl = [
        "ts",
        "-verify",
        "-data",
        "attestation/pack.sig",
        "-in",
        "attestation/pack.tsr",
        "-CAfile",
        &authority.path().join("tsa.crt").display().to_string(),
    ];
    assert!(openssl(&bench.path("pack"), &by_openssl));
    assert!(!bench.read("pack/report/report.md").contains("time is asserted by the signer"));

    fs::remove_file(bench.path("pack/attestation/pack.tsr")).expect("removed");
    let verified = bench.run(&["verify", "pack", "--key", "keys/tickmark.pub.pem"]);
    assert_eq!(verified.code, 1, "a token that was there is missed: {}", verified.out);
}

#[test]
fn an_authority_that_does_not_answer_stops_the_seal_and_leaves_nothing() {
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "x");
    bench.run(&["init", "--tenant", "11111111-1111-1111-1111-111111111111"]);
    let config = bench.read("tickmark.toml").replace("# tsa = []", "tsa = [\"http://127.0.0.1:9/tsr\"] #");
    bench.write("tickmark.toml", &config);
    let recording = tenant_folder("empty").display().to_string();
    let ran = bench.run(&["run", "--replay", &recording, "--period", "2026Q3", "--out", "pack"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("127.0.0.1:9"), "{}", ran.err);
    assert!(!bench.path("pack").exists());
}

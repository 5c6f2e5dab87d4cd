//! A pack with the time of an RFC 3161 authority: a throwaway one on loopback, made with openssl.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::azure::{Azure, Moods};
use super::harness::{Bench, tenant_folder};
use super::replay::Tenant;

const CONFIG: &str = "[req]\ndistinguished_name = dn\n[dn]\n[tsa]\ndefault_tsa = main\n[main]\nserial = serial\n\
                      signer_cert = tsa.crt\nsigner_key = tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\n\
                      digests = sha256\n";

fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    output.is_ok_and(|output| output.status.success())
}

/// A throwaway authority that answers until the process ends.
struct Authority {
    folder: tempfile::TempDir,
    address: String,
    /// When it was asked.
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Authority {
    /// None, loudly, where openssl is missing.
    fn start() -> Option<Authority> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("tsa.cnf"), CONFIG).expect("written");
        fs::write(folder.path().join("serial"), "01\n").expect("written");
        let request = "req -config tsa.cnf -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.crt -days 2 -addext \
                       extendedKeyUsage=critical,timeStamping -subj";
        let request: Vec<&str> = request.split(' ').chain(["/CN=Test TSA"]).collect();
        if !openssl(folder.path(), &request) {
            // the harness holds back what a passing test prints through the macros
            let words = b"SKIPPED: openssl is not installed\n";
            std::io::stderr().write_all(words).expect("standard error");
            return None;
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        let address = serve(folder.path().to_owned(), asked.clone());
        Some(Authority { folder, address, asked })
    }

    /// Whether openssl finds the token to be over the data, by this authority.
    fn vouches(&self, bench: &Bench, data: &str, token: &str) -> bool {
        let root = self.folder.path().join("tsa.crt").display().to_string();
        openssl(&bench.path("."), &["ts", "-verify", "-data", data, "-in", token, "-CAfile", &root])
    }

    fn asked(&self) -> Vec<Instant> {
        self.asked.lock().expect("a lock").clone()
    }
}

/// Answers time-stamp queries until the process ends. Returns its address.
fn serve(folder: PathBuf, asked: Arc<Mutex<Vec<Instant>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/tsr", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let query = body(&mut stream);
            asked.lock().expect("a lock").push(Instant::now());
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
    let Some(authority) = Authority::start() else { return };
    let address = &authority.address;
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "x");
    bench.run(&["init", "--tenant", "11111111-1111-1111-1111-111111111111"]);
    let config = bench.read("tickmark.toml").replace("# tsa = []", &format!("tsa = [\"{address}\"] #"));
    bench.write("tickmark.toml", &config);

    let recording = tenant_folder("empty").display().to_string();
    let ran = bench.run(&["run", "--replay", &recording, "--period", "2026Q3", "--out", "pack"]);
    assert_eq!(ran.code, 1, "nothing is exported there, which is an exception: {}{}", ran.out, ran.err);
    assert!(ran.err.contains("time-stamp 20"), "{}", ran.err);
    let verified = bench.run(&["verify", "pack", "--key", "keys/tickmark.pub.pem"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
    assert!(authority.vouches(&bench, "pack/attestation/pack.sig", "pack/attestation/pack.tsr"));
    assert!(authority.vouches(&bench, "pack/plan.json", "pack/plan.tsr"));
    assert!(ran.err.contains("the plan is fixed: time-stamp 20"), "{}", ran.err);
    assert!(verified.out.contains("; the plan was fixed before 20"), "{}", verified.out);
    assert!(bench.read("pack/report/report.md").contains("- Plan fixed: before 20"));
    assert!(bench.read("pack/README.txt").contains("plan.tsr is an RFC 3161 time-stamp over plan.json"));
    assert_eq!(bench.run(&["reperform", "pack"]).code, 0);
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

const TOKEN: &str = "an.opaque.token-of-nobody";

/// The capture's folder in the bench's store.
fn capture(bench: &Bench) -> String {
    let folders = fs::read_dir(bench.path("tickmark-store/captures")).expect("a store");
    let names: Vec<String> =
        folders.map(|folder| folder.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    format!("tickmark-store/captures/{}", names[0])
}

#[test]
fn the_plan_has_its_time_before_the_first_request_and_keeps_it_when_the_run_is_continued() {
    let Some(authority) = Authority::start() else { return };
    let moods = Moods { knows: Some(TOKEN.to_owned()), takes: Duration::from_millis(15), ..Moods::default() };
    let azure = Azure::start(&Tenant::open("mixed"), moods);
    let bench = Bench::new().with("TICKMARK_TOKEN", TOKEN);
    bench.write("tickmark.toml", &azure.config("token"));

    let mut child = bench.start(&["collect", "--tsa", &authority.address]);
    let begun = Instant::now();
    while azure.seen().len() < 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not ask");
        sleep(Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("it is dead");
    let first = azure.seen().iter().map(|seen| seen.at).min().expect("a request");
    assert!(authority.asked().len() == 1 && authority.asked()[0] < first, "the plan came first");
    let token = fs::read(bench.path(&format!("{}/plan.tsr", capture(&bench)))).expect("a token");

    let ran = bench.run(&["collect", "--resume"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(authority.asked().len(), 1, "the first token is kept");
    let folder = capture(&bench);
    assert_eq!(fs::read(bench.path(&format!("{folder}/plan.tsr"))).expect("a token"), token);
    assert!(authority.vouches(&bench, &format!("{folder}/plan.json"), &format!("{folder}/plan.tsr")));
    let head = bench.json(&format!("{folder}/capture.json"));
    assert_eq!(head["planStamps"][0]["authority"], Value::from(authority.address.as_str()));
}

#[test]
fn an_authority_that_puts_no_time_on_the_plan_is_told_of_and_the_run_goes_on() {
    let bench = Bench::new();
    let recording = tenant_folder("clean").display().to_string();
    let whole = bench.run(&["collect", "--replay", &recording]);
    assert_eq!(whole.code, 0, "{}", whole.err);
    let bench = Bench::new();
    let ran = bench.run(&["collect", "--replay", &recording, "--tsa", "http://127.0.0.1:9/tsr"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("the plan has no time-stamp from `http://127.0.0.1:9/tsr`"), "{}", ran.err);
    let folder = capture(&bench);
    assert!(!bench.path(&format!("{folder}/plan.tsr")).exists());
    let failed = bench.json(&format!("{folder}/capture.json"))["planStamps"][0]["failed"].clone();
    assert!(failed.as_str().is_some_and(|why| why.starts_with("no time-stamp from")), "{failed}");
    let assessed = bench.run(&["assess", "--out", "out"]);
    assert_eq!(assessed.code, 3, "{}", assessed.out);
    let report = bench.read("out/report/report.md");
    assert!(report.contains("The plan has no time from an authority that was asked"), "{report:.2000}");
    assert!(report.contains("- Plan fixed: no time"));

    let refused = bench.run(&["collect", "--replay", &recording, "--tsa", "http://tsa.example/"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("is no https address"), "{}", refused.err);
}

//! The HTTP client that everything in here shares, and the reading of an answer within bounds.

use std::fmt;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, NoProxy, Response};

use super::TransportError;
use super::error::{one_line, plain};

/// How the machine reaches the outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// PEM of further roots to trust, behind a proxy that opens TLS.
    pub extra_roots: Option<Vec<u8>>,
    /// The proxy for https. Plain http is spoken on this machine only, and through no proxy: a token could leave it.
    pub proxy: Option<Proxy>,
}

/// An HTTP proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// As in `HTTPS_PROXY`: `http://proxy:3128`, perhaps with user and password.
    pub address: String,
    /// As in `NO_PROXY`: hosts, domains and networks that are reached without it, separated by commas.
    pub not_for: String,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("not_for", &self.not_for).finish_non_exhaustive()
    }
}

/// How a client reaches its service.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    /// Over this network.
    Outward(&'a Network),
    /// Straight to an address of this machine or its host, which no proxy can reach.
    Direct,
}

/// A client without redirects and with time-outs. It keeps connections for the next request, and speaks HTTP/2 and
/// gzip with whoever does.
pub(super) fn client(way: Way<'_>) -> Result<Client, TransportError> {
    let unsendable = |error: reqwest::Error| TransportError::Unsendable(one_line(&error));
    let mut builder = Client::builder()
        .user_agent(concat!("tickmark/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .timeout(Duration::from_secs(180))
        // a connection that died on the way is noticed while a log query is still waited for
        .http2_keep_alive_interval(Duration::from_secs(30))
        .no_proxy();
    builder = match way {
        Way::Outward(network) => {
            if let Some(pem) = &network.extra_roots {
                let roots = Certificate::from_pem_bundle(pem).map_err(unsendable)?;
                if roots.is_empty() {
                    let why = "the file of trusted roots holds no certificate";
                    return Err(TransportError::Unsendable(why.to_owned()));
                }
                builder = builder.tls_certs_merge(roots);
            }
            if let Some(proxy) = &network.proxy {
                builder = builder.proxy(proxy.for_https()?);
            }
            builder.connect_timeout(Duration::from_secs(20))
        }
        Way::Direct => builder.connect_timeout(Duration::from_secs(2)),
    };
    builder.build().map_err(unsendable)
}

impl Proxy {
    /// The address may hold a password and is not repeated in errors.
    fn for_https(&self) -> Result<reqwest::Proxy, TransportError> {
        let unusable = |why: &str| TransportError::Unsendable(format!("the proxy {why}"));
        let scheme = self.address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), None | Some("http" | "https")) {
            return Err(unusable("is neither an http nor an https one"));
        }
        let proxy = reqwest::Proxy::https(&self.address).map_err(|_| unusable("has no valid address"))?;
        Ok(proxy.no_proxy(NoProxy::from_string(&self.not_for)))
    }
}

/// How much room is made at most for a body of which the service says the length.
const MOST_RESERVED: usize = 8 << 20;

/// The body in chunks, so that an answer without end does not fill the memory, and one that falls silent does not
/// stay for ever.
pub(super) async fn read_bounded(
    mut response: Response,
    limit: usize,
    silence: Duration,
) -> Result<Vec<u8>, TransportError> {
    let said = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(said.min(limit).min(MOST_RESERVED));
    loop {
        let chunk = tokio::time::timeout(silence, response.chunk()).await.map_err(|_| TransportError::TimedOut)?;
        let Some(chunk) = chunk.map_err(failure)? else { return Ok(body) };
        if body.len() + chunk.len() > limit {
            return Err(TransportError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
}

/// The client's error without the URL, whose query may hold more than a reader should see.
pub(super) fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_timeout() {
        return TransportError::TimedOut;
    }
    let text = plain(&one_line(&error));
    if error.is_connect() {
        TransportError::Connect(text)
    } else if error.is_builder() {
        TransportError::Unsendable(text)
    } else {
        TransportError::Reset(text)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// `{"value":[]}`, by gzip.
    const COMPRESSED: [u8; 32] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x2a, 0x4b, 0xcc, 0x29, 0x4d, 0x55,
        0xb2, 0x8a, 0x8e, 0xad, 0x05, 0x00, 0x42, 0xea, 0x40, 0x44, 0x0c, 0x00, 0x00, 0x00,
    ];
    const MINUTE: Duration = Duration::from_secs(60);

    /// Answers each request on each connection with these bytes, notes what it was sent and counts connections.
    struct Server {
        address: String,
        connections: Arc<AtomicUsize>,
        heard: Arc<std::sync::Mutex<Vec<u8>>>,
    }

    impl Server {
        async fn start(says: Vec<u8>) -> Server {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let (connections, heard) = (Arc::new(AtomicUsize::new(0)), Arc::default());
            let server = Server { address, connections: connections.clone(), heard };
            let (says, heard) = (Arc::new(says), server.heard.clone());
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(serve(stream, says.clone(), heard.clone()));
                }
            });
            server
        }

        fn heard(&self) -> Vec<u8> {
            self.heard.lock().unwrap().clone()
        }

        fn heard_text(&self) -> String {
            String::from_utf8_lossy(&self.heard()).to_ascii_lowercase()
        }
    }

    async fn serve(mut stream: TcpStream, says: Arc<Vec<u8>>, heard: Arc<std::sync::Mutex<Vec<u8>>>) {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            heard.lock().unwrap().extend_from_slice(&piece[..read]);
            let is_http = !piece.starts_with(&[0x16]); // else it is the beginning of TLS
            if is_http && piece[..read].ends_with(b"\r\n\r\n") && stream.write_all(&says).await.is_err() {
                return;
            }
        }
    }

    fn response(headers: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    fn proxied(proxy: &Server, user: &str, not_for: &str) -> Network {
        let address = format!("http://{user}{}", proxy.address);
        Network { proxy: Some(Proxy { address, not_for: not_for.to_owned() }), ..Network::default() }
    }

    async fn get(network: &Network, url: &str) -> Result<Response, TransportError> {
        client(Way::Outward(network))?.get(url).bearer_auth("hunter2").send().await.map_err(failure)
    }

    #[tokio::test]
    async fn an_answer_is_asked_for_compressed_and_bounded_after_it_was_unpacked() {
        let server = Server::start(response("content-encoding: gzip\r\n", &COMPRESSED)).await;
        let url = format!("http://{}/", server.address);
        let network = Network::default();
        let read = async |limit| read_bounded(get(&network, &url).await.unwrap(), limit, MINUTE).await;
        assert_eq!(read(12).await, Ok(br#"{"value":[]}"#.to_vec()));
        assert_eq!(read(11).await, Err(TransportError::TooLarge { limit: 11 }));
        assert!(server.heard_text().contains("accept-encoding: gzip"), "{}", server.heard_text());
    }

    #[tokio::test]
    async fn one_connection_serves_many_requests() {
        let server = Server::start(response("", b"{}")).await;
        let client = client(Way::Outward(&Network::default())).unwrap();
        for _ in 0..20 {
            let response = client.get(format!("http://{}/", server.address)).send().await.unwrap();
            read_bounded(response, 10, MINUTE).await.unwrap();
        }
        assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_answer_that_falls_silent_is_given_up() {
        let whole = response("", b"{}");
        let server = Server::start(whole[..whole.len() - 1].to_vec()).await;
        let response = get(&Network::default(), &format!("http://{}/", server.address)).await.unwrap();
        assert_eq!(read_bounded(response, 10, Duration::from_millis(100)).await, Err(TransportError::TimedOut));
    }

    #[tokio::test]
    async fn http_2_is_offered_and_http_1_1_too() {
        let server = Server::start(Vec::new()).await;
        let client = client(Way::Outward(&Network::default())).unwrap();
        let request = client.get(format!("https://{}/", server.address)).timeout(Duration::from_millis(500)).send();
        assert!(request.await.is_err(), "nobody answers the handshake");
        let heard = server.heard();
        let offered = b"\x02h2\x08http/1.1"; // the list of protocols in the client's first message
        assert!(heard.windows(offered.len()).any(|part| part == offered), "{heard:02x?}");
    }

    #[tokio::test]
    async fn the_proxy_is_asked_for_a_tunnel_and_sees_no_token() {
        let proxy = Server::start(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
        let network = proxied(&proxy, "user:hunter3@", "");
        let error = get(&network, "https://arm.example/subscriptions?sig=hidden").await.unwrap_err();
        assert!(matches!(error, TransportError::Connect(_)), "{error}");
        assert!(!error.to_string().contains("hunter") && !error.to_string().contains("hidden"), "{error}");
        let heard = proxy.heard_text();
        assert!(heard.starts_with("connect arm.example:443 http/1.1\r\n"), "{heard}");
        // `user:hunter3`
        assert!(heard.contains("proxy-authorization: basic dxnlcjpodw50zxiz\r\n"), "{heard}");
        assert!(!heard.contains("hunter2") && !heard.contains("subscriptions"), "{heard}");
        assert!(!format!("{network:?}").contains("hunter3"));
    }

    #[tokio::test]
    async fn who_is_not_for_the_proxy_is_asked_without_it_and_so_is_this_machine_in_plain_http() {
        let proxy = Server::start(Vec::new()).await;
        let server = Server::start(response("", b"{}")).await;
        for (not_for, url) in
            [("", format!("http://{}/", server.address)), ("*", format!("http://{}/", server.address))]
        {
            assert!(get(&proxied(&proxy, "", not_for), &url).await.is_ok());
        }
        for not_for in ["127.0.0.1", "127.0.0.0/8", "other.example, 127.0.0.1"] {
            let network = proxied(&proxy, "", not_for);
            let url = format!("https://{}/", server.address);
            let request = client(Way::Outward(&network)).unwrap().get(url).timeout(Duration::from_millis(200)).send();
            assert!(request.await.is_err());
        }
        assert_eq!((proxy.connections.load(Ordering::SeqCst), server.connections.load(Ordering::SeqCst)), (0, 5));
    }

    #[test]
    fn what_is_no_proxy_and_no_root_is_said_without_its_address() {
        let with = |address: &str| {
            let proxy = Proxy { address: address.to_owned(), not_for: String::new() };
            client(Way::Outward(&Network { proxy: Some(proxy), ..Network::default() })).map(|_| ())
        };
        assert_eq!(with("proxy.example:3128"), Ok(()));
        let socks = with("socks5://user:hunter3@proxy.example").unwrap_err().to_string();
        assert_eq!(socks, "the request cannot be sent: the proxy is neither an http nor an https one");
        let broken = with("http://user:hunter3@proxy.example:port").unwrap_err().to_string();
        assert_eq!(broken, "the request cannot be sent: the proxy has no valid address");
        let network = Network { extra_roots: Some(b"no certificate".to_vec()), proxy: None };
        let empty = client(Way::Outward(&network)).unwrap_err().to_string();
        assert!(empty.contains("holds no certificate"), "{empty}");
    }
}

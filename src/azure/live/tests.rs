//! Azure on this machine, asked directly.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap as Received, StatusCode, Uri};
use axum::routing::{any, get, post};

use super::super::Endpoints;
use super::super::recording::StillClock;
use super::*;

/// A server on this machine that says back what it was asked.
async fn echo() -> String {
    let echo = |uri: Uri, headers: Received, body: String| async move {
        let header = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
        let said = format!("{uri}|{}|{}|{body}", header("authorization"), header("user-agent"));
        ([("X-Ms-Request-Id", "r-1"), ("Set-Cookie", "c=1")], said)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(echo))).await });
    address
}

async fn live(address: &str, longest_answer: usize) -> Live {
    let at = |path: &str| format!("{address}/{path}");
    let endpoints = Endpoints {
        authority: at("login"),
        resource_manager: at("arm"),
        graph: at("graph"),
        log_analytics: at("logs"),
        key_vault: None,
    };
    let token = Some("hunter2".to_owned());
    let credential = CredentialSettings { kind: CredentialKind::Token, token, ..Default::default() };
    let settings = LiveSettings { credential, longest_answer, ..Default::default() };
    let clock = Arc::new(StillClock("2026-10-02T09:00:00Z".parse().unwrap()));
    Live::connect(Cloud::custom(&endpoints).unwrap(), settings, clock).await.unwrap()
}

fn ask(url: String) -> Ask {
    Ask { api: Api::ResourceManager, method: Method::Get, url, headers: Vec::new(), body: None }
}

#[tokio::test]
async fn a_question_goes_out_with_its_token_and_comes_back_without_cookies() {
    let live = live(&echo().await, 1000).await;
    assert_eq!(live.token_facts(), None);
    let url = live.cloud.url(Api::ResourceManager, "/subscriptions?api-version=1");
    let post = Ask { method: Method::Post, body: Some("{}".to_owned()), ..ask(url) };
    let answer = live.send(&post, None).await.unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!("/arm/subscriptions?api-version=1|Bearer hunter2|tickmark/{version}|{{}}");
    assert_eq!((answer.status, String::from_utf8(answer.body.clone()).unwrap()), (200, expected));
    assert_eq!((answer.header("x-ms-request-id"), answer.header("set-cookie")), (Some("r-1"), None));
    assert_eq!(live.token_facts().unwrap().credential, "token");
    assert!(live.send(&post, Some(1)).await.is_ok());
}

#[tokio::test]
async fn no_token_goes_elsewhere_and_no_answer_is_endless() {
    let address = echo().await;
    let own = live(&address, 10).await;
    let url = own.cloud.url(Api::ResourceManager, "/subscriptions");
    assert_eq!(own.send(&ask(url), None).await, Err(TransportError::TooLarge { limit: 10 }));
    let foreign = own.send(&ask("http://127.0.0.1:9/arm".to_owned()), None).await;
    assert!(matches!(foreign, Err(TransportError::Unsendable(_))));
}

/// Signs in at `/login` like Entra ID, giving `t-1`, `t-2`, …; refuses the tenant `closed`.
async fn authority() -> String {
    let count = Arc::new(AtomicUsize::new(0));
    let sign_in = move |Path(tenant): Path<String>, form: String| async move {
        assert!(form.contains("client_secret=hunter2") && form.contains("grant_type=client_credentials"), "{form}");
        if tenant == "closed" {
            let said = r#"{"error_codes":[7000215],"error_description":"AADSTS7000215: Invalid\nclient secret."}"#;
            return (StatusCode::UNAUTHORIZED, said.to_owned());
        }
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        (StatusCode::OK, format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"t-{number}"}}"#))
    };
    let bearer = |headers: Received| async move { headers["authorization"].to_str().unwrap().to_owned() };
    let router =
        Router::new().route("/login/{tenant}/oauth2/v2.0/token", post(sign_in)).route("/arm/whoami", get(bearer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn signs_in_at_the_authority_once_and_again_when_a_fresh_token_is_wanted() {
    let mut live = live(&authority().await, 1000).await;
    let secret = |tenant: &str| CredentialSettings {
        kind: CredentialKind::ClientSecret,
        tenant_id: Some(tenant.to_owned()),
        client_id: Some("c".to_owned()),
        client_secret: Some("hunter2".to_owned()),
        ..Default::default()
    };
    live.settings.credential = secret("t");
    live.kind = CredentialKind::ClientSecret;
    live.credential = secret("t").build(live.kind, &live.sign_in).unwrap();
    // tokens of that server are good for an hour from the machine's own now
    live.sign_in.clock = Arc::new(StillClock("2020-01-01T00:00:00Z".parse().unwrap()));
    let whoami = ask(live.cloud.url(Api::ResourceManager, "/whoami"));
    let said = async |refused| {
        let answer = live.send(&whoami, refused).await.unwrap();
        (String::from_utf8(answer.body).unwrap(), answer.token)
    };
    let first = ("Bearer t-1".to_owned(), 1);
    let second = ("Bearer t-2".to_owned(), 2);
    assert_eq!([said(None).await, said(None).await], [first.clone(), first]);
    // several whose token was refused at the same time fetch one other token
    let refused = futures::future::join_all((0..20).map(|_| said(Some(1)))).await;
    assert!(refused.iter().all(|one| *one == second), "{refused:?}");
    assert_eq!(said(None).await, second);

    live.settings.credential = secret("closed");
    let refused = live.send(&whoami, Some(2)).await.unwrap_err().to_string();
    let expected = "no token: ClientSecretCredential authentication failed.";
    assert!(refused.starts_with(expected) && refused.contains("AADSTS7000215"), "{refused}");
}

/// Gives `t-1`, `t-2`, …, each good for so many seconds from one instant on.
#[derive(Debug)]
struct Brief(AtomicUsize, i64);

#[async_trait]
impl TokenCredential for Brief {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<azure_core::credentials::TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let until = azure_core::time::OffsetDateTime::from_unix_timestamp(self.1 + 3600 * number as i64).unwrap();
        Ok(AccessToken::new(format!("t-{number}"), until))
    }
}

#[tokio::test]
async fn a_token_is_replaced_five_minutes_before_it_ends() {
    let mut live = live(&echo().await, 1000).await;
    live.credential = Arc::new(Brief(AtomicUsize::new(0), 1_790_931_600)); // 2026-10-02T09:00:00Z
    let url = live.cloud.url(Api::ResourceManager, "/subscriptions");
    let mut used = Vec::new();
    for time in ["09:00:00", "09:54:59", "09:55:00", "10:30:00", "10:55:01"] {
        live.sign_in.clock = Arc::new(StillClock(format!("2026-10-02T{time}Z").parse().unwrap()));
        used.push(live.send(&ask(url.clone()), None).await.unwrap().token);
    }
    assert_eq!(used, [1, 1, 2, 2, 3]);
}

#[tokio::test]
async fn a_link_goes_out_as_it_came() {
    let live = live(&echo().await, 1000).await;
    let link = "/subscriptions?api-version=1&%24skiptoken=a%2Bb%2Fc%3D%3D&x=a+b%20c;d,e&$filter=name%20eq%20%27q%27";
    let url = live.cloud.url(Api::ResourceManager, link);
    let answer = live.send(&ask(url), None).await.unwrap();
    let said = String::from_utf8(answer.body).unwrap();
    assert_eq!(said.split('|').next(), Some(format!("/arm{link}").as_str()));
}

#[tokio::test]
async fn nobody_there_is_worth_repeating_and_the_error_names_no_url() {
    // bound and dropped: nobody listens there
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let live = live(&format!("http://127.0.0.1:{port}"), 1000).await;
    let url = live.cloud.url(Api::ResourceManager, "/subscriptions?$skiptoken=hidden");
    let error = live.send(&ask(url), None).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect(_)));
    assert!(error.is_worth_repeating() && !error.to_string().contains("hidden"), "{error}");
}

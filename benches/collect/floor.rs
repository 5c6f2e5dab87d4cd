//! The floor: the least that any client must do. The same requests, eight at a time, every body read and dropped.

use futures::StreamExt;
use serde_json::Value;

/// Fetches everything that the server has seen, once.
pub fn fetch(base: &str) {
    runtime().block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let seen = json(&client, &format!("{base}/_seen")).await;
        client.get(format!("{base}/_reset")).send().await.expect("an answer");
        let asks = seen["pages"].as_array().expect("pages").iter().map(|page| {
            let part = |index: usize| page[index].as_str().unwrap_or_default().to_owned();
            let (client, url) = (&client, format!("{base}{}", part(1)));
            async move {
                let request = match part(0).as_str() {
                    "POST" => client.post(url).body(part(2)),
                    _ => client.get(url),
                };
                let mut response = request.send().await.expect("an answer");
                while response.chunk().await.expect("its body").is_some() {}
            }
        });
        futures::stream::iter(asks).buffer_unordered(8).collect::<()>().await;
    });
}

/// What the server has seen since it was reset.
pub fn seen(base: &str) -> Value {
    runtime().block_on(async { json(&client(), &format!("{base}/_seen")).await })
}

/// One request, its answer dropped.
pub fn get(url: &str) {
    runtime().block_on(async { client().get(url).send().await.expect("an answer") });
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

async fn json(client: &reqwest::Client, url: &str) -> Value {
    let body = client.get(url).send().await.expect("an answer").bytes().await.expect("its body");
    serde_json::from_slice(&body).expect("JSON")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

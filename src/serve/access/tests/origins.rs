//! `Host` × `Origin` × `Sec-Fetch-Site` × method, and the cookie among them.

use super::{
    super::{super::Settings, presented::Presented},
    Served, ask, claims, is_safe, served, signed,
};
use axum::{http::header, response::Response};
use std::time::Duration;

const LISTED: &str = "https://app.example.org";
const HOSTS: [(&str, bool); 6] = [
    ("127.0.0.1:4400", true),
    ("localhost:4400", true),
    ("traces.example.org", true),
    ("192.168.1.5:4400", true),
    ("evil.example", false),
    ("traces.example.org.evil.example", false),
];
const SITES: [Option<&str>; 5] = [None, Some("same-origin"), Some("same-site"), Some("cross-site"), Some("none")];
const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "OPTIONS"];

#[derive(Debug, Clone, Copy, PartialEq)]
enum From {
    Nowhere,
    Own,
    Listed,
    Foreign,
    Null,
}

const ORIGINS: [From; 5] = [From::Nowhere, From::Own, From::Listed, From::Foreign, From::Null];

#[derive(Debug, Clone, Copy)]
struct Cell {
    host: (&'static str, bool),
    from: From,
    site: Option<&'static str>,
    method: &'static str,
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for host in HOSTS {
        for from in ORIGINS {
            for site in SITES {
                cells.extend(METHODS.map(|method| Cell { host, from, site, method }));
            }
        }
    }
    cells
}

impl Cell {
    fn origin(self) -> Option<String> {
        match self.from {
            From::Nowhere => None,
            From::Own => Some(format!("http://{}", self.host.0)),
            From::Listed => Some(LISTED.into()),
            From::Foreign => Some("https://evil.example.org".into()),
            From::Null => Some("null".into()),
        }
    }

    fn passes(self) -> bool {
        let cross = self.site == Some("cross-site");
        self.host.1
            && match self.from {
                From::Nowhere | From::Own => !cross,
                From::Listed => true,
                From::Foreign | From::Null => false,
            }
    }

    /// Whether a page of ours sent it, as far as a browser says so.
    fn is_of_a_page(self) -> bool {
        matches!(self.from, From::Own | From::Listed) || is_safe(self.method) && self.site == Some("same-origin")
    }

    async fn ask(self, server: &Served, uri: &str, more: &[(&str, &str)]) -> Response {
        let (mut headers, origin) = (vec![("Host", self.host.0)], self.origin());
        headers.extend(origin.as_deref().map(|origin| ("Origin", origin)));
        headers.extend(self.site.map(|site| ("Sec-Fetch-Site", site)));
        headers.extend(more);
        if self.method == "OPTIONS" {
            headers.push(("Access-Control-Request-Method", "GET"));
        }
        ask(&server.router, self.method, uri, &headers).await
    }
}

fn server() -> Served {
    served(Settings::default().host("traces.example.org").cors_origin(LISTED).expect("origin"))
}

#[tokio::test]
async fn only_requests_to_this_server_and_from_its_own_or_listed_pages_pass() {
    let server = server();
    let token = format!("Bearer {}", signed(&claims("admin", None)));
    for cell in cells() {
        let response = cell.ask(&server, "/executions", &[("Authorization", &token)]).await;
        let wanted = match (cell.passes(), cell.method) {
            (false, _) => 403,
            (true, "GET") => 200,
            (true, "OPTIONS") if cell.from == From::Listed => 204,
            (true, _) => 405,
        };
        assert_eq!(response.status(), wanted, "{cell:?}");
        let shared = response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        let may_read = cell.passes() && cell.from == From::Listed;
        assert_eq!(shared.map(|origin| origin.as_bytes()), may_read.then_some(LISTED.as_bytes()), "{cell:?}");
        assert_eq!(response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), may_read);
        assert_eq!(response.headers().get_all(header::VARY).iter().collect::<Vec<_>>(), ["Origin"], "{cell:?}");
    }
}

#[tokio::test]
async fn a_cookie_counts_only_where_a_page_of_ours_sent_it() {
    let server = server();
    let holder = server.access.holder(Presented::Bearer(signed(&claims("admin", None))), &[]).expect("holder");
    let session = || server.access.sessions().issue(holder.grant.token, Duration::from_secs(60), holder.clone());
    for cell in cells().into_iter().filter(|cell| cell.method != "OPTIONS") {
        let loopback = cell.host.0.ends_with(":4400") && !cell.host.0.starts_with("192");
        let (right, wrong) =
            if loopback { ("spanwright", "__Host-spanwright") } else { ("__Host-spanwright", "spanwright") };
        let uri = match cell.method {
            "GET" => "/stats",
            "POST" => "/tickets",
            _ => "/session",
        };
        let secret = session().expect("session");
        let wanted = match (cell.passes() && cell.is_of_a_page(), cell.method) {
            (true, "DELETE") => 204,
            (true, _) => 200,
            (false, _) => 403,
        };
        let response = cell.ask(&server, uri, &[("Cookie", &format!("a=b; {right}={secret}"))]).await;
        assert_eq!(response.status(), wanted, "{cell:?}");
        if cell.passes() && cell.method != "DELETE" {
            let other = cell.ask(&server, uri, &[("Cookie", &format!("{wrong}={secret}"))]).await;
            assert_eq!(other.status(), 401, "a cookie of another name: {cell:?}");
        }
    }
}

#[tokio::test]
async fn a_preflight_is_told_what_the_path_has_and_what_may_be_sent() {
    let server = server();
    let asked = [("Origin", LISTED), ("Access-Control-Request-Method", "POST"), ("Sec-Fetch-Site", "cross-site")];
    for (path, methods) in [("/stream", "GET, HEAD"), ("/tickets", "POST"), ("/session", "POST, DELETE")] {
        let response = ask(&server.router, "OPTIONS", path, &asked).await;
        let head = |name| response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
        assert_eq!(
            (response.status().as_u16(), head(header::ACCESS_CONTROL_ALLOW_METHODS)),
            (204, Some(methods.into()))
        );
        let headers = head(header::ACCESS_CONTROL_ALLOW_HEADERS).expect("headers");
        for name in ["Last-Event-ID", "Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key"] {
            assert!(headers.split(", ").any(|one| one == name), "{headers}");
        }
    }
    let own = [("Access-Control-Request-Method", "GET")];
    assert_eq!(ask(&server.router, "OPTIONS", "/stream", &own).await.status(), 405, "no page of another origin");
}

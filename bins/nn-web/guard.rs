//! Who may do what. A request must be meant for this server by a name it knows, which a page elsewhere cannot forge (DNS
//! rebinding); what changes something must carry the token in a header, which no browser adds by itself (cross-site
//! requests); away from this machine, and for its other users, reading needs it too, or the cookie it was exchanged for.

use nn::base::error::Result;
use nn::base::hash::random_hex;
use nn::base::json::Value;
use nn::base::sys;
use nn::web::caller::Caller;
use nn::web::http::Head;
use nn::web::response::Response;
use std::net::{IpAddr, SocketAddr};

/// What is allowed.
pub struct Guard {
    /// Names by which this server is known, with the port
    hosts: Vec<String>,
    /// It listens on all addresses: any of them is its own
    is_everywhere: bool,
    port: u16,
    token: Option<String>,
    /// For reports alone
    report_token: Option<String>,
    /// Whether reading needs the token
    is_closed: bool,
    cookie: String,
    session: String,
}

/// What `--host` takes: a name, with a port or without.
pub fn host_name(text: &str) -> Option<String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    (is_plain && !text.is_empty()).then(|| text.to_ascii_lowercase())
}

impl Guard {
    /// Of a server at an address, which is also known by these names.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new(address: SocketAddr, names: &[String], token: Option<String>) -> Result<Guard> {
        let port = address.port();
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let mut hosts: Vec<String> = names.to_vec();
        let local = ["localhost", "127.0.0.1", "[::1]"].map(String::from);
        let own = if address.ip().is_loopback() { local.as_slice() } else { &[] };
        for name in own.iter().chain([&ip]).chain(names) {
            hosts.push(format!("{name}:{port}"));
            if port == 80 {
                hosts.push(name.clone());
            }
        }
        Ok(Guard {
            hosts,
            is_everywhere: address.ip().is_unspecified(),
            port,
            token,
            report_token: None,
            is_closed: !address.ip().is_loopback(),
            // Cookies know no ports: two servers of one host shall not take each other's away.
            cookie: format!("nn-web-{port}"),
            session: random_hex::<16>()?,
        })
    }

    /// Also takes reports from who knows this token, which is good for nothing else.
    pub fn with_report_token(self, report_token: Option<String>) -> Guard {
        Guard { report_token, ..self }
    }

    /// Whether something can be done, by who knows the token.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Refuses what is not meant for this server, or comes from the page of another.
    ///
    /// # Errors
    /// The answer.
    pub fn check(&self, head: &Head) -> std::result::Result<(), Response> {
        let Some(host) = head.host.as_deref().map(str::to_ascii_lowercase) else { return Ok(()) };
        if !self.is_known(&host) {
            let words = format!("this server is not known as '{host}': start it with --host {host}");
            return Err(Response::error(421, &words));
        }
        let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(&host));
        if head.headers("origin").any(|origin| !is_own(origin)) {
            return Err(Response::error(403, "a request from the page of another server"));
        }
        Ok(())
    }

    fn is_known(&self, host: &str) -> bool {
        // Numbers cannot be made to mean another machine.
        let bare = || self.port == 80 && host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let is_address = || host.parse::<SocketAddr>().is_ok_and(|address| address.port() == self.port) || bare();
        self.hosts.iter().any(|known| known == host) || self.is_everywhere && is_address()
    }

    /// Refuses to tell anything to who may not read.
    ///
    /// # Errors
    /// The answer.
    pub fn may_read(&self, head: &Head) -> std::result::Result<(), Response> {
        if !self.is_closed || self.has_cookie(head) || self.has_bearer(head) {
            return Ok(());
        }
        Err(Response::error(401, "log in with the token").with("WWW-Authenticate", "Bearer"))
    }

    /// Refuses to tell anything to another user of this machine, who cannot read the spool either, unless he has the
    /// token. Root and who runs this server may always look. Asks the kernel: not for the server's loop.
    ///
    /// # Errors
    /// The answer.
    pub fn may_look(&self, head: &Head, caller: &Caller) -> std::result::Result<(), Response> {
        if self.is_closed || self.has_cookie(head) || self.has_bearer(head) {
            return Ok(());
        }
        // Where the kernel does not tell, all users of the machine are one.
        let Ok(user) = caller.user() else { return Ok(()) };
        if user.is_some_and(|user| user == 0 || user == sys::effective_user_id()) {
            return Ok(());
        }
        Err(match self.token {
            Some(_) => Response::error(401, "log in with the token").with("WWW-Authenticate", "Bearer"),
            None => Response::error(403, "these are the runs of another user, who can let you in by a --token-file"),
        })
    }

    /// Refuses to do anything for who may not, or what a form could have sent.
    ///
    /// # Errors
    /// The answer.
    pub fn may_act(&self, head: &Head) -> std::result::Result<(), Response> {
        says(head, &[&self.token])?;
        is_json(head)
    }

    /// Refuses to take a report from who may not bring one.
    ///
    /// # Errors
    /// The answer.
    pub fn may_report(&self, head: &Head) -> std::result::Result<(), Response> {
        says(head, &[&self.token, &self.report_token])
    }

    fn has_bearer(&self, head: &Head) -> bool {
        bearer(head).is_some_and(|given| is_token(&self.token, given))
    }

    fn has_cookie(&self, head: &Head) -> bool {
        let mut cookies =
            head.headers("cookie").flat_map(|line| line.split(';')).filter_map(|c| c.trim().split_once('='));
        cookies.any(|(name, value)| name == self.cookie && is_same(value.as_bytes(), self.session.as_bytes()))
    }

    /// Takes the token, gives the cookie.
    pub fn log_in(&self, body: &Value) -> Response {
        if !body.str("token").is_some_and(|given| is_token(&self.token, given)) {
            return Response::error(403, "the token is wrong");
        }
        let cookie = format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie, self.session);
        Response::json("{\"ok\":true}").with("Set-Cookie", cookie)
    }
}

/// Refuses who says none of these tokens.
fn says(head: &Head, tokens: &[&Option<String>]) -> std::result::Result<(), Response> {
    if tokens.iter().all(|token| token.is_none()) {
        return Err(Response::error(403, "this server only shows: start it with --token-file"));
    }
    match bearer(head) {
        Some(given) if tokens.iter().any(|token| is_token(token, given)) => Ok(()),
        Some(_) => Err(Response::error(403, "the token is wrong")),
        None => Err(Response::error(401, "say the token").with("WWW-Authenticate", "Bearer")),
    }
}

/// The token that a request carries; empty if it is something else that it is to be let in by.
fn bearer(head: &Head) -> Option<&str> {
    let (scheme, given) = head.header("authorization")?.split_once(' ')?;
    Some(if scheme.eq_ignore_ascii_case("bearer") { given.trim() } else { "" })
}

fn is_token(token: &Option<String>, given: &str) -> bool {
    token.as_deref().is_some_and(|token| is_same(token.as_bytes(), given.as_bytes()))
}

/// Refuses a body of a type that a form can send by itself.
///
/// # Errors
/// The answer.
pub fn is_json(head: &Head) -> std::result::Result<(), Response> {
    let kind = head.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Response::error(415, "send it as application/json"))
}

/// Compares in a time that does not tell where the difference is.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(address: &str, names: &[&str], token: Option<&str>) -> Guard {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        Guard::new(address.parse().unwrap(), &names, token.map(str::to_string)).unwrap()
    }

    fn head(host: &str, more: &str) -> Head {
        Head::parse(format!("POST / HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn by_which_names() {
        let here = guard("127.0.0.1:8080", &["tunnel:9000", "box"], None);
        for host in
            ["localhost:8080", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "tunnel:9000", "box", "box:8080"]
        {
            assert!(here.check(&head(host, "")).is_ok(), "{host}");
        }
        for host in
            ["localhost", "evil.example:8080", "localhost:9000", "localhost.evil.example:8080", "192.168.0.1:8080", ""]
        {
            assert_eq!(here.check(&head(host, "")).unwrap_err().status, 421, "{host}");
        }
        let everywhere = guard("0.0.0.0:80", &[], Some("0123456789abcdef"));
        assert!(everywhere.check(&head("192.168.0.1:80", "")).is_ok());
        assert!(everywhere.check(&head("192.168.0.1", "")).is_ok() && everywhere.check(&head("[::1]", "")).is_ok());
        assert!(everywhere.check(&head("localhost:80", "")).is_err());
        assert!(guard("192.168.0.1:80", &[], None).check(&head("192.168.0.1", "")).is_ok());
    }

    #[test]
    fn from_which_pages() {
        let here = guard("127.0.0.1:8080", &[], None);
        let from = |origin: &str| here.check(&head("localhost:8080", &format!("Origin: {origin}\r\n"))).is_ok();
        assert!(from("http://localhost:8080") && from("https://localhost:8080"));
        assert!(!from("http://evil.example") && !from("null") && !from("http://127.0.0.1:8080") && !from(""));
    }

    #[test]
    fn who_may_act() {
        let token = "0123456789abcdef";
        let act = |guard: &Guard, more: &str| {
            let more = format!("Content-Type: application/json\r\n{more}");
            guard.may_act(&head("localhost:8080", &more)).map_err(|response| response.status)
        };
        let here = guard("127.0.0.1:8080", &[], Some(token));
        assert_eq!(act(&here, &format!("Authorization: bearer {token}\r\n")), Ok(()));
        assert_eq!(act(&here, "Authorization: Bearer 0123456789abcdeF\r\n"), Err(403));
        assert_eq!(act(&here, "Authorization: Bearer 0123456789abcde\r\n"), Err(403));
        assert_eq!(act(&here, &format!("Authorization: Basic {token}\r\n")), Err(403));
        assert_eq!(act(&here, &format!("Cookie: {}={}\r\n", here.cookie, here.session)), Err(401));
        assert_eq!(act(&guard("127.0.0.1:8080", &[], None), &format!("Authorization: Bearer {token}\r\n")), Err(403));
        let form = head("localhost:8080", &format!("Authorization: Bearer {token}\r\nContent-Type: text/plain\r\n"));
        assert_eq!(here.may_act(&form).unwrap_err().status, 415);
    }

    #[test]
    fn who_may_report() {
        let (token, other) = ("0123456789abcdef", "fedcba9876543210");
        let here = guard("192.168.0.1:8080", &[], Some(token)).with_report_token(Some(other.into()));
        let with =
            |token: &str| head("x", &format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"));
        let status = |asked: std::result::Result<(), Response>| asked.err().map(|response| response.status);
        assert_eq!((status(here.may_report(&with(token))), status(here.may_report(&with(other)))), (None, None));
        assert_eq!(status(here.may_report(&with("x"))), Some(403));
        assert_eq!((status(here.may_act(&with(other))), status(here.may_read(&with(other)))), (Some(403), Some(401)));
        let alone = guard("127.0.0.1:8080", &[], None).with_report_token(Some(other.into()));
        assert_eq!((status(alone.may_report(&with(other))), status(alone.may_act(&with(other)))), (None, Some(403)));
        assert_eq!(status(guard("127.0.0.1:8080", &[], None).may_report(&with(other))), Some(403));
    }

    #[test]
    fn who_may_read() {
        let token = "0123456789abcdef";
        assert!(guard("127.0.0.1:8080", &[], Some(token)).may_read(&head("x", "")).is_ok());
        let there = guard("192.168.0.1:8080", &[], Some(token));
        let read = |more: String| there.may_read(&head("x", &more)).is_ok();
        assert!(!read(String::new()) && read(format!("Authorization: Bearer {token}\r\n")));
        assert!(read(format!("Cookie: a=b; {}={}\r\n", there.cookie, there.session)));
        assert!(!read(format!("Cookie: {}={token}\r\n", there.cookie)));
        let log_in = |text: &str| there.log_in(&Value::parse(text).unwrap()).status;
        assert_eq!(
            (log_in(r#"{"token":"0123456789abcdef"}"#), log_in(r#"{"token":"x"}"#), log_in("3")),
            (200, 403, 403)
        );
    }
}

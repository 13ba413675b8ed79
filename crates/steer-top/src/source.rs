//! Fetches the statistics: one HTTP request for each poll, with error messages for people.
//!
//! Must not depend on: how statistics are used.

use std::time::Duration;

use ureq::Agent;
use ureq::http::StatusCode;

use crate::stats::Stats;

/// Rejects larger answers. 10,000 backends take about 4 MB.
const MOST_BYTES: u64 = 64 << 20;

/// The address where a process serves its statistics.
pub struct Source {
    url: String,
    agent: Agent,
}

impl Source {
    /// `address` is a URL. `http://` and the path `/stats.json` may be left out.
    pub fn new(address: &str, timeout: Duration) -> Source {
        let rest = address.strip_prefix("http://").unwrap_or(address);
        let path = if rest.trim_end_matches('/').contains('/') { "" } else { "/stats.json" };
        let url = format!("http://{}{path}", rest.trim_end_matches('/'));
        let config = Agent::config_builder().timeout_global(Some(timeout));
        // Ask the named process itself, without a proxy.
        let config = config.http_status_as_error(false).proxy(None).build();
        Source { url, agent: config.into() }
    }

    /// Returns the complete URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Polls once. An error names the URL and what went wrong.
    pub fn poll(&self) -> Result<Stats, String> {
        let url = &self.url;
        let away = |error: ureq::Error| match error {
            ureq::Error::Io(error) => format!("cannot reach {url}: {error}"),
            error => format!("cannot reach {url}: {error}"),
        };
        let mut response = self.agent.get(url).call().map_err(away)?;
        if response.status() != StatusCode::OK {
            return Err(format!("{url} answers with HTTP status {}", response.status()));
        }
        let body = response.body_mut().with_config().limit(MOST_BYTES);
        let text = body.read_to_string().map_err(away)?;
        serde_json::from_str(&text)
            .map_err(|error| format!("the answer of {url} is not Steer's statistics: {error}"))
    }
}

/// Returns the time to wait for an answer, with this polling interval.
pub fn patience(interval: Duration) -> Duration {
    interval.clamp(Duration::from_secs(1), Duration::from_secs(10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    const TIMEOUT: Duration = Duration::from_secs(60);

    /// Returns the result of polling a server that sends this answer.
    fn answered(answer: &'static str) -> Result<Stats, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /stats.json HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let polled = Source::new(&address.to_string(), TIMEOUT).poll();
        server.join().unwrap();
        polled.map_err(|error| error.replace(&address.to_string(), "SERVER"))
    }

    #[test]
    fn the_path_and_the_scheme_may_be_left_out() {
        for (address, url) in [
            ("127.0.0.1:80", "http://127.0.0.1:80/stats.json"),
            ("http://127.0.0.1:80", "http://127.0.0.1:80/stats.json"),
            ("http://127.0.0.1:80/", "http://127.0.0.1:80/stats.json"),
            ("http://host/debug/steer", "http://host/debug/steer"),
        ] {
            assert_eq!(Source::new(address, TIMEOUT).url(), url);
        }
    }

    #[test]
    fn statistics_are_read() {
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{\"steer\":\"0.1.0\",\"channels\":[]}";
        let stats = Stats { steer: "0.1.0".to_owned(), channels: Vec::new(), plugins: Vec::new() };
        assert_eq!(answered(answer), Ok(stats));
    }

    #[test]
    fn an_error_names_the_url_and_what_went_wrong() {
        assert_eq!(
            answered("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap_err(),
            "http://SERVER/stats.json answers with HTTP status 404 Not Found"
        );
        assert_eq!(
            answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap_err(),
            "the answer of http://SERVER/stats.json is not Steer's statistics: expected value at \
             line 1 column 1"
        );
        assert_eq!(
            answered("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"other\":1}").unwrap_err(),
            "the answer of http://SERVER/stats.json is not Steer's statistics: missing field \
             `steer` at line 1 column 11"
        );
        let nonsense = answered("what?\r\n\r\n").unwrap_err();
        assert!(nonsense.starts_with("cannot reach http://SERVER/stats.json: "), "{nonsense}");
    }

    #[test]
    fn an_unreachable_server_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        assert_eq!(
            Source::new(&address, TIMEOUT).poll().unwrap_err(),
            format!("cannot reach http://{address}/stats.json: Connection refused (os error 111)")
        );
    }
}

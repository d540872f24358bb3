//! A server on the loopback interface for the tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// What was asked.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// Each as `name: value`.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Answers every request with status, headers and body. Returns `http://` and the address.
pub(crate) fn serve(answer: impl Fn(&Asked) -> (u16, String, Vec<u8>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let asked = read(&stream);
            let (status, headers, body) = answer(&asked);
            let head = format!(
                "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n",
                body.len()
            );
            // A client that has read enough goes away.
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    format!("http://{address}")
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut asked = Asked::default();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split(' ');
    asked.method = words.next().unwrap_or_default().to_owned();
    asked.path = words.next().unwrap_or_default().to_owned();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => asked.headers.push(line.to_owned()),
        }
    }
    let length = asked
        .header("content-length")
        .map_or(0, |l| l.parse().unwrap());
    reader.take(length).read_to_string(&mut asked.body).unwrap();
    asked
}

//! Plain HTTP/1.1 over a socket, as much of it as the tests of these programs need. Not part of the component.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};

use crate::message::{Failure, Headers, Request, Response, Transport};

/// Opens a connection for each request.
pub(super) struct Sockets;

impl Transport for Sockets {
    fn send(
        &mut self,
        request: &Request,
        body: Option<&mut dyn Read>,
    ) -> Result<Response, Failure> {
        if request.address.scheme == "https" {
            return Err(Failure::Tls("only the host secures connections".to_owned()));
        }
        let broken = |error: io::Error| Failure::Broken(error.to_string());
        let host = request.address.host.trim_matches(['[', ']']);
        let connect = |address: &SocketAddr| match request.connect_timeout {
            Some(timeout) => TcpStream::connect_timeout(address, timeout),
            None => TcpStream::connect(address),
        };
        let found = (host, request.address.port()).to_socket_addrs();
        let address = found.ok().and_then(|mut found| found.next());
        let stream = connect(&address.ok_or(Failure::NameNotFound)?);
        let mut stream = stream.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => Failure::Unreachable,
            _ => Failure::NameNotFound,
        })?;
        stream.set_read_timeout(request.timeout).map_err(broken)?;
        let mut head = format!(
            "{} {} HTTP/1.1\r\n",
            request.method,
            request.address.target()
        );
        head.push_str(&format!(
            "Host: {}\r\nConnection: close\r\n",
            request.address.authority()
        ));
        let mut head = head.into_bytes();
        for (name, value) in &request.headers.0 {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        let is_chunked = body.is_some() && request.headers.get("content-length").is_none();
        if is_chunked {
            head.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        head.extend_from_slice(b"\r\n");
        stream.write_all(&head).map_err(broken)?;
        if let Some(body) = body {
            let mut whole = Vec::new();
            body.read_to_end(&mut whole).map_err(broken)?;
            if is_chunked {
                write!(stream, "{:x}\r\n", whole.len()).map_err(broken)?;
            }
            stream.write_all(&whole).map_err(broken)?;
            if is_chunked {
                stream.write_all(b"\r\n0\r\n\r\n").map_err(broken)?;
            }
        }
        read(BufReader::new(stream), &request.method).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::TimedOut,
            _ => Failure::Broken(error.to_string()),
        })
    }
}

fn read(mut stream: BufReader<TcpStream>, method: &str) -> io::Result<Response> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no status line"))?;
    let mut headers = Headers::default();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.add(name, value.trim());
    }
    let body: Box<dyn Read> = match headers.get("content-length").and_then(|l| l.parse().ok()) {
        _ if method == "HEAD" || status == 204 || status == 304 => Box::new(io::empty()),
        Some(length) => Box::new(stream.take(length)),
        None if headers.get("transfer-encoding").is_some() => {
            Box::new(io::Cursor::new(chunks(stream)?))
        }
        None => Box::new(stream),
    };
    Ok(Response {
        status,
        headers,
        body,
    })
}

fn chunks(mut stream: BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        stream.by_ref().take(length).read_to_end(&mut body)?;
        stream.read_line(&mut line)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

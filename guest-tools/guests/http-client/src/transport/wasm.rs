//! The host's HTTP.

use std::io::{self, Read};

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::message::{Failure, Headers, Request, Response, Transport};

/// Bytes of a body read at once.
const PART_BYTES: u64 = 64 << 10;

/// Sends through the host.
pub(super) struct Host;

impl Transport for Host {
    fn send(
        &mut self,
        request: &Request,
        body: Option<&mut dyn Read>,
    ) -> Result<Response, Failure> {
        let headers = Fields::new();
        for (name, value) in &request.headers.0 {
            if headers.append(name, value).is_err() {
                let text = format!("the header {name} cannot be sent from here");
                return Err(Failure::Other(text));
            }
        }
        let out = OutgoingRequest::new(headers);
        let method = method(&request.method);
        let scheme = match request.address.scheme.as_str() {
            "https" => Scheme::Https,
            _ => Scheme::Http,
        };
        let is_set = out.set_method(&method).is_ok()
            && out.set_scheme(Some(&scheme)).is_ok()
            && out
                .set_authority(Some(&request.address.authority()))
                .is_ok()
            && out
                .set_path_with_query(Some(&request.address.target()))
                .is_ok();
        if !is_set {
            return Err(Failure::Other("the URL cannot be asked for".to_owned()));
        }
        let outgoing = out.body().map_err(|()| other("no body"))?;
        let options = RequestOptions::new();
        let nanoseconds =
            |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let _ = options.set_connect_timeout(request.connect_timeout.map(nanoseconds));
        let _ = options.set_first_byte_timeout(request.timeout.map(nanoseconds));
        let _ = options.set_between_bytes_timeout(request.timeout.map(nanoseconds));
        let future = handle(out, Some(options)).map_err(|error| failure(&error))?;
        let sent = match body {
            Some(body) => write(&outgoing, body),
            None => Ok(()),
        };
        match sent {
            Ok(()) => {
                // A body that is not whole is told with the response.
                let _ = OutgoingBody::finish(outgoing, None);
            }
            // The peer takes no more; its answer says why.
            Err(Sent::Closed) => drop(outgoing),
            Err(Sent::Unreadable(error)) => return Err(other(&error.to_string())),
        }
        let response = loop {
            match future.get() {
                Some(Ok(Ok(response))) => break response,
                Some(Ok(Err(error))) => return Err(failure(&error)),
                Some(Err(())) => return Err(other("the response was taken")),
                None => future.subscribe().block(),
            }
        };
        read(response)
    }
}

enum Sent {
    /// Nobody takes it.
    Closed,
    /// What is sent cannot be read.
    Unreadable(io::Error),
}

fn write(outgoing: &OutgoingBody, body: &mut dyn Read) -> Result<(), Sent> {
    let stream = outgoing.write().map_err(|()| Sent::Closed)?;
    let mut part = vec![0; PART_BYTES as usize];
    loop {
        let read = match body.read(&mut part) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Sent::Unreadable(error)),
        };
        put(&stream, part.get(..read).unwrap_or_default()).map_err(|_| Sent::Closed)?;
    }
    stream.blocking_flush().map_err(|_| Sent::Closed)
}

fn put(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    Ok(())
}

fn read(response: IncomingResponse) -> Result<Response, Failure> {
    let status = response.status();
    let headers = response.headers().entries();
    let body = response.consume().map_err(|()| other("no body"))?;
    let stream = body.stream().map_err(|()| other("no body"))?;
    Ok(Response {
        status,
        headers: Headers(headers),
        body: Box::new(Incoming {
            stream,
            _body: body,
            _response: response,
        }),
    })
}

/// A body as it comes. The stream goes before what it is of.
struct Incoming {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let wanted = PART_BYTES.min(buffer.len() as u64);
        loop {
            match self.stream.blocking_read(wanted) {
                Ok(part) if part.is_empty() => {}
                Ok(part) => {
                    if let Some(place) = buffer.get_mut(..part.len()) {
                        place.copy_from_slice(&part);
                    }
                    return Ok(part.len());
                }
                Err(StreamError::Closed) => return Ok(0),
                Err(StreamError::LastOperationFailed(error)) => {
                    let code = wasip2::http::types::http_error_code(&error);
                    let failure = match code {
                        Some(code) => failure(&code),
                        None => Failure::Broken(error.to_debug_string()),
                    };
                    return Err(failure.into());
                }
            }
        }
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn other(text: &str) -> Failure {
    Failure::Other(text.to_owned())
}

fn failure(code: &ErrorCode) -> Failure {
    match code {
        ErrorCode::HttpRequestDenied
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable => Failure::Denied,
        ErrorCode::DestinationNotFound | ErrorCode::DnsError(_) | ErrorCode::DnsTimeout => {
            Failure::NameNotFound
        }
        ErrorCode::DestinationUnavailable | ErrorCode::ConnectionRefused => Failure::Unreachable,
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => Failure::Tls("the handshake failed".to_owned()),
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Failure::TimedOut,
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            Failure::Broken("the connection ended early".to_owned())
        }
        ErrorCode::HttpResponseBodySize(_) => {
            other("the body is larger than the host lets through")
        }
        ErrorCode::InternalError(Some(text)) => Failure::Broken(text.clone()),
        code => Failure::Other(format!("{code:?}")),
    }
}

//! Servers that speak TLS, with certificates of an authority that nobody trusts unless told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::extract::Request;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server, as long as its runtime lives.
pub struct TlsServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// The certificate of its authority, in PEM.
    pub authority: String,
    seen: Seen,
}

/// Largest body that is read.
const BODY_BYTES_MAX: usize = 16 << 20;

/// The version of HTTP, and the value of `authorization`, of each request.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

impl TlsServer {
    /// Starts a server whose certificate is for `name`; it speaks HTTP/2 where it may, if `has_http2`.
    pub async fn start(name: &str, has_http2: bool) -> Result<Self> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &issuer)?;
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;
        config.alpn_protocols = match has_http2 {
            true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            false => vec![b"http/1.1".to_vec()],
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Seen::default();
        tokio::spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            seen.clone(),
        ));
        Ok(Self {
            address,
            authority: authority_pem,
            seen,
        })
    }

    /// Returns the requests that arrived since the last time.
    pub fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(|error| error.into_inner()))
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, seen: Seen) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, seen) = (acceptor.clone(), seen.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let router =
                Router::new().fallback(move |request: Request| answer(seen.clone(), request));
            let (stream, service) = (TokioIo::new(stream), TowerToHyperService::new(router));
            // How a connection ends is its client's business.
            let _ = match is_http2 {
                true => {
                    let server = http2::Builder::new(TokioExecutor::new());
                    server.serve_connection(stream, service).await
                }
                false => {
                    http1::Builder::new()
                        .serve_connection(stream, service)
                        .await
                }
            };
        });
    }
}

/// Remembers a request, reads it to its end, and sends back what it was sent.
async fn answer(seen: Seen, request: Request) -> String {
    let version = format!("{:?}", request.version());
    let key = request.headers().get("authorization");
    let key = key
        .and_then(|key| key.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    // Who answers before and closes the connection breaks the pipe of whoever still sends.
    let body = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await;
    let bytes = body.map_or(0, |body| body.len());
    let said = format!("over {version}: {key} and {bytes} bytes");
    let mut seen = seen.lock().unwrap_or_else(|error| error.into_inner());
    seen.push((version, key));
    said
}

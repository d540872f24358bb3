//! The only way out for what a hand, an MCP server's URL or a web page names.
//!
//! A [`Policy`] says which hosts may be asked; [`Client`] holds every request to it, to what the operator grants, and
//! to the addresses that the names really mean. Whatever leaves is within bounds of size, time and number. A hand has
//! a [`SessionEgress`] on top of it, which puts the secrets of credentials in, takes them out of what comes back, and
//! keeps a journal. Deliberately absent: following redirects and decompressing, which whoever asked does itself,
//! behind these checks.

mod address;
mod body;
mod client;
mod credentials;
mod forms;
mod headers;
mod hosts;
mod inject;
mod journal;
mod masker;
mod outgoing;
mod placeholder;
mod plain;
mod policy;
mod registries;
mod resolve;
mod rewrite;
mod scope;
mod sent;
mod session;
#[cfg(test)]
mod tests;
mod web;

pub(crate) use address::is_public;
pub use client::{Client, ClientError, EgressOptions, collect, parts_of, start_of, whole};
pub(crate) use forms::of_secret as forms_of_secret;
pub use hosts::{HostPattern, Hosts, NoHost, PrivateHost};
pub use journal::HttpRequest;
pub use masker::Masker;
pub use plain::PlainEgress;
pub use policy::{Denial, Policy};
pub use resolve::{Names, SystemNames};
pub use scope::{Scope, ScopedEgress};
pub use session::{Networks, SessionEgress};
pub use web::{
    Domains, PageCache, SEARCH_KEY_PLACEHOLDER, SearchEgress, SearchProvider, WebEgress,
};

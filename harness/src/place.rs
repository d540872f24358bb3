//! Where contents lie that are no rows: a folder of this machine, or a bucket, by URL.
//!
//! Each store has a part of the place that is its own, so that what one removes is never another's. Credentials come
//! from the environment and go nowhere else.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, parse_url_opts};
use serde::{Deserialize, Serialize};
use url::Url;

/// What names of variables start with that clouds are configured by.
const VARIABLES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];
/// Longest wait for the first answer of a place; its client tries again for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It is no URL, or one of something else. It is not shown, since it may hold a secret.
    #[error(
        "a place is a URL like s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder"
    )]
    NotAPlace,
    /// It holds what may be a secret.
    #[error("a place's URL has no password and no query: credentials come from the environment")]
    Secret,
    /// The client cannot be made, or the place does not answer.
    #[error("{place} cannot be used: {reason}")]
    Unusable {
        /// The place.
        place: String,
        /// Why.
        reason: String,
    },
}

/// A place's URL. It holds no secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlaceUrl(Url);

impl FromStr for PlaceUrl {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let url = Url::parse(text).map_err(|_| PlaceError::NotAPlace)?;
        if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(PlaceError::Secret);
        }
        match (url.scheme(), url.has_host()) {
            ("file", false) | ("s3" | "s3a" | "gs" | "az" | "abfs" | "abfss", true) => {}
            _ => return Err(PlaceError::NotAPlace),
        }
        // The file system of an Azure account stands there; elsewhere it would be half a credential.
        if !url.username().is_empty() && !matches!(url.scheme(), "abfs" | "abfss") {
            return Err(PlaceError::Secret);
        }
        Ok(Self(url))
    }
}

impl TryFrom<String> for PlaceUrl {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        text.parse()
    }
}

impl From<PlaceUrl> for String {
    fn from(url: PlaceUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Display for PlaceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place of one store.
#[derive(Clone)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A part of a bucket.
    Bucket(Arc<dyn ObjectStore>),
}

impl Place {
    /// Returns the part called `part` of what belongs to the store called `owner` at a URL.
    pub fn at(url: &PlaceUrl, owner: &str, part: &str) -> Result<Self, PlaceError> {
        let unusable = |reason: String| PlaceError::Unusable {
            place: url.to_string(),
            reason,
        };
        if url.0.scheme() == "file" {
            let folder = url.0.to_file_path();
            let folder = folder.map_err(|()| unusable("it is no path".to_owned()))?;
            return Ok(Self::Folder(folder.join(owner).join(part)));
        }
        crate::model::install_tls();
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            let is_meant = VARIABLES.iter().any(|start| name.starts_with(start));
            is_meant.then_some((name, value))
        });
        let (store, prefix) =
            parse_url_opts(&url.0, variables).map_err(|error| unusable(error.to_string()))?;
        let prefix = prefix.join(owner).join(part);
        Ok(Self::Bucket(Arc::new(PrefixStore::new(store, prefix))))
    }

    /// Returns a folder.
    pub fn folder(path: &Path) -> Self {
        Self::Folder(path.to_owned())
    }

    /// Fails unless a bucket answers.
    pub async fn check(&self, url: &PlaceUrl) -> Result<(), PlaceError> {
        let Self::Bucket(store) = self else {
            return Ok(());
        };
        let mut listed = store.list(None);
        let reason = match tokio::time::timeout(PATIENCE, listed.try_next()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => without_queries(&error.to_string()),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        Err(PlaceError::Unusable {
            place: url.to_string(),
            reason,
        })
    }
}

/// Returns a text without the queries of the URLs in it: with some clouds they are credentials.
pub fn without_queries(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, ')' | '"' | '\'' | '>' | '`');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let (url, behind) = after.split_at(after.find(is_end).unwrap_or(after.len()));
        match url.split_once('?') {
            Some((url, _)) => {
                clean.push_str(url);
                clean.push_str("?...");
            }
            None => clean.push_str(url),
        }
        rest = behind;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written_and_hold_no_secret() {
        for text in [
            "s3://bucket/some/prefix",
            "gs://bucket",
            "az://container/prefix",
            "abfss://files@account.dfs.core.windows.net/prefix",
            "file:///var/lib/packs",
        ] {
            let url: PlaceUrl = text.parse().unwrap();
            assert_eq!(String::from(url), text);
        }
        for (text, is_secret) in [
            ("bucket/prefix", false),
            ("/var/lib/packs", false),
            ("s3:///prefix", false),
            ("file://host/path", false),
            ("memory:///", false),
            ("https://bucket.s3.amazonaws.com", false),
            ("s3://key:secret@bucket", true),
            ("s3://key@bucket", true),
            ("az://container?sig=secret", true),
        ] {
            let refused = text.parse::<PlaceUrl>().unwrap_err();
            assert_eq!(matches!(refused, PlaceError::Secret), is_secret, "{text}");
            assert!(!refused.to_string().contains("sig="), "{refused}");
        }
    }

    #[test]
    fn errors_have_no_queries() {
        let text = "Error performing GET https://a.blob.core.windows.net/c/x?sig=secret&se=1 in 1s (https://b?c) - what? no";
        let clean = without_queries(text);
        assert_eq!(
            clean,
            "Error performing GET https://a.blob.core.windows.net/c/x?... in 1s (https://b?...) - what? no"
        );
    }

    #[test]
    fn a_folder_by_url_is_one_store_s_own() {
        let url = "file:///var/lib/packs".parse().unwrap();
        let Ok(Place::Folder(folder)) = Place::at(&url, "name", "files") else {
            panic!("no folder");
        };
        assert_eq!(folder, Path::new("/var/lib/packs/name/files"));
    }
}

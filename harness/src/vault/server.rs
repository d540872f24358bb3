//! Credentials of MCP servers: which server one is for, and that its token could not be refreshed.

use serde_json::json;
use url::Url;

use super::{Credential, REFRESH_FAILED_FIELD, VaultError, Vaults};
use crate::clock::{Timestamp, rfc3339};
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::store::StoreError;

/// Returns the form by which URLs of MCP servers are compared: scheme and host in lower case, without default port,
/// fragment and trailing slash. `None` if it is no URL.
pub fn normal_url(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    url.set_fragment(None);
    let trimmed = url.path().trim_end_matches('/').to_owned();
    url.set_path(&trimmed);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

impl Vaults {
    /// Returns the credential for the MCP server at `url`: of the first of the vaults that has a live one.
    pub async fn credential_for_server(
        &self,
        workspace: &WorkspaceId,
        vault_ids: &[String],
        url: &str,
    ) -> Result<Option<Credential>, VaultError> {
        let Some(wanted) = normal_url(url) else {
            return Ok(None);
        };
        let live = self.credentials(workspace, vault_ids).await?;
        let fits = |credential: &Credential| {
            let url = credential.auth().at("mcp_server_url").as_str();
            url.and_then(normal_url).as_deref() == Some(&*wanted)
        };
        Ok(live.into_iter().find(fits))
    }

    /// Notes that a credential's token could not be refreshed; only the first failure since it was written last is
    /// noted, and told to webhooks. A credential that somebody changes meanwhile is left as it is.
    pub async fn note_refresh_failure(
        &self,
        credential: &Credential,
        why: &str,
        at: Timestamp,
    ) -> Result<(), VaultError> {
        let mut body = credential.stored.body.clone();
        if !body.at(REFRESH_FAILED_FIELD).is_null() {
            return Ok(());
        }
        body.set(REFRESH_FAILED_FIELD, json!({"at": rfc3339(at), "why": why}));
        match self.write(credential, body, at).await {
            Ok(_) | Err(StoreError::RevisionConflict { .. } | StoreError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_one_server_are_one() {
        let cases = [
            (
                "HTTPS://Mcp.Example.COM:443/Mcp/",
                "https://mcp.example.com/Mcp",
            ),
            ("http://h:80", "http://h"),
            ("https://h/a/?q=1#f", "https://h/a?q=1"),
            ("https://h:8443//", "https://h:8443"),
        ];
        for (text, normal) in cases {
            assert_eq!(normal_url(text).as_deref(), Some(normal), "{text}");
        }
        assert_ne!(normal_url("https://h/a"), normal_url("https://h/A"));
        assert_eq!(normal_url("no url"), None);
    }
}

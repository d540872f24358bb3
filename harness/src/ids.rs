//! Identifiers: a prefix that names the kind, then 26 characters of lower-case base32 that sort by
//! creation time. Clients treat them as opaque; prefixes follow the wire contract.

use std::fmt;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Longest identifier that is looked up; anything longer cannot be one of ours.
pub const ID_BYTES_MAX: usize = 128;

/// Returns a fresh identifier `{prefix}{26 characters}` whose text sorts by `now` (milliseconds), then at random.
pub fn fresh(prefix: &str, now: Timestamp) -> String {
    let time = (now.as_millisecond().max(0) as u128) & 0xffff_ffff_ffff;
    let random = rand::rng().next_u64() as u128 | ((rand::rng().next_u64() as u128 & 0xffff) << 64);
    let mut value = (time << 80) | random;
    let mut text = [0u8; 26];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET.get((value & 31) as usize).copied().unwrap_or(b'0');
        value >>= 5;
    }
    let mut id = String::with_capacity(prefix.len() + 26);
    id.push_str(prefix);
    id.extend(text.iter().map(|&b| char::from(b)));
    id
}

/// Returns when an identifier was made, to the millisecond; none for one that is not of [`fresh`].
pub fn made_at(id: &str) -> Option<Timestamp> {
    let (_, text) = id.rsplit_once('_')?;
    // 26 characters of five bits are 130, of which the upper two are not used.
    let digits = text
        .bytes()
        .map(|byte| ALPHABET.iter().position(|digit| *digit == byte));
    let value = digits
        .clone()
        .try_fold(0u128, |value, digit| Some((value << 5) | digit? as u128))?;
    match text.len() {
        26 => Timestamp::from_millisecond(i64::try_from(value >> 80).ok()?).ok(),
        _ => None,
    }
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The prefix of this kind of identifier.
            pub const PREFIX: &'static str = $prefix;

            /// Returns a fresh identifier made at `now`.
            pub fn fresh(now: Timestamp) -> Self {
                Self(fresh($prefix, now))
            }

            /// Takes an identifier as it came, from a path or a stored row.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the identifier's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

id_types! {
    /// An agent.
    AgentId = "agent_";
    /// An environment.
    EnvironmentId = "env_";
    /// A session.
    SessionId = "sesn_";
    /// An event of a session.
    EventId = "sevt_";
    /// A thread of a session.
    ThreadId = "sthr_";
    /// A file.
    FileId = "file_";
    /// Something mounted into a session.
    SessionResourceId = "sesrsc_";
    /// A skill.
    SkillId = "skill_";
    /// A version of a skill.
    SkillVersionId = "skver_";
    /// A registered tool.
    ToolId = "tool_";
    /// A version of a registered tool.
    ToolVersionId = "toolver_";
    /// A tenant: API keys belong to one, and nothing of one is visible to another.
    WorkspaceId = "wrkspc_";
    /// One HTTP request, as told in the `request-id` header.
    RequestId = "req_";
    /// A vault.
    VaultId = "vlt_";
    /// A credential in a vault.
    CredentialId = "vcrd_";
    /// A memory store.
    MemoryStoreId = "memstore_";
    /// A memory.
    MemoryId = "mem_";
    /// A change of a memory.
    MemoryVersionId = "memver_";
    /// An API key's public name; the key itself is stored only as a hash.
    ApiKeyId = "apikey_";
    /// A deployment.
    DeploymentId = "depl_";
    /// A run of a deployment.
    DeploymentRunId = "drun_";
    /// An endpoint of webhooks.
    WebhookEndpointId = "whep_";
    /// A webhook on its way to one endpoint; the same in every attempt.
    WebhookEventId = "whe_";
    /// The public name of a key of an environment's workers; the key itself is stored only as a hash.
    EnvironmentKeyId = "envkey_";
    /// An item of an environment's work queue.
    WorkId = "work_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_differ() {
        let early = SessionId::fresh(Timestamp::from_millisecond(1_000).unwrap());
        let late = SessionId::fresh(Timestamp::from_millisecond(2_000).unwrap());
        assert!(early < late);
        assert_eq!(early.as_str().len(), "sesn_".len() + 26);
        assert_eq!(
            made_at(early.as_str()),
            Timestamp::from_millisecond(1_000).ok()
        );
        assert_eq!(made_at("sesn_x"), None);
        assert_eq!(made_at(""), None);
        let same = Timestamp::from_millisecond(3_000).unwrap();
        assert_ne!(SessionId::fresh(same), SessionId::fresh(same));
    }
}

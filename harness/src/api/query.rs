//! Reading a query string: named parameters, `key[]=` arrays, `key[gte]=` ranges.
//!
//! Parameters nobody asks for are ignored (`beta=true` comes from older clients); a parameter that is asked
//! for must be well formed.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded;

use crate::api::body::Invalid;
use crate::api::error::{ApiError, quoted};
use crate::clock::Timestamp;
use crate::store::{Order, TimeRange};

/// Most values of one array parameter, where the endpoint has no smaller limit of its own.
pub const LIST_VALUES_MAX: usize = 100;

/// The parameters of one request's query.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Parses the part of a URL behind `?`.
    pub fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { pairs }
    }

    /// Returns the parameter `name`; empty counts as absent, twice is refused.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Invalid> {
        let mut values = self
            .pairs
            .iter()
            .filter(|(key, value)| key == name && !value.is_empty());
        let first = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            Some(_) => Err(Invalid::at(name, "this parameter may be given only once")),
            None => Ok(first),
        }
    }

    /// Returns the query with `prefix` taken from the start of the parameter `name`, which must have it.
    pub fn without_prefix(&self, name: &str, prefix: &str) -> Result<Self, Invalid> {
        let mut query = self.clone();
        let values = query.pairs.iter_mut().filter(|(key, _)| key == name);
        for (_, value) in values.filter(|(_, value)| !value.is_empty()) {
            match value.strip_prefix(prefix) {
                Some(rest) => *value = rest.to_owned(),
                None => return Err(Invalid::at(name, "the cursor is malformed or expired")),
            }
        }
        Ok(query)
    }

    /// Returns every value of `name[]` and of `name`, at most [`LIST_VALUES_MAX`].
    pub fn list(&self, name: &str) -> Result<Vec<&str>, Invalid> {
        let values: Vec<&str> = self
            .pairs
            .iter()
            .filter(|(key, _)| key.strip_suffix("[]").unwrap_or(key) == name)
            .map(|(_, value)| value.as_str())
            .collect();
        if values.len() > LIST_VALUES_MAX {
            let message = format!("at most {LIST_VALUES_MAX} values, got {}", values.len());
            return Err(Invalid::at(format!("{name}[]"), message));
        }
        Ok(values)
    }

    /// Returns every value of `name[]`, each of which must be one of `choices`.
    pub fn list_of(&self, name: &str, choices: &[&str]) -> Result<Vec<String>, Invalid> {
        let values = self.list(name)?;
        if let Some(bad) = values.iter().find(|value| !choices.contains(value)) {
            let message = format!(
                "expected one of {}, got {}",
                choices.join(", "),
                quoted(bad)
            );
            return Err(Invalid::at(format!("{name}[]"), message));
        }
        Ok(values.into_iter().map(str::to_owned).collect())
    }

    /// Returns the whole number `name` from `min` to `max`.
    pub fn integer(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, Invalid> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) if (min..=max).contains(&value) => Ok(Some(value)),
            _ => {
                let message = format!(
                    "expected a whole number from {min} to {max}, got {}",
                    quoted(text)
                );
                Err(Invalid::at(name, message))
            }
        }
    }

    /// Returns the page size: `limit` from 1 to `max`, or `default`.
    pub fn limit(&self, default: usize, max: usize) -> Result<usize, Invalid> {
        let limit = self.integer("limit", 1, max as u64)?;
        Ok(limit.map_or(default, |limit| limit as usize))
    }

    /// Returns the boolean `name`, false when absent.
    pub fn flag(&self, name: &str) -> Result<bool, Invalid> {
        match self.text(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => {
                let message = format!("expected true or false, got {}", quoted(text));
                Err(Invalid::at(name, message))
            }
        }
    }

    /// Returns the sort direction `order`: `asc` or `desc`.
    pub fn order(&self, default: Order) -> Result<Order, Invalid> {
        match self.text("order")? {
            None => Ok(default),
            Some("asc") => Ok(Order::Ascending),
            Some("desc") => Ok(Order::Descending),
            Some(text) => {
                let message = format!("expected asc or desc, got {}", quoted(text));
                Err(Invalid::at("order", message))
            }
        }
    }

    /// Returns the bounds `name[gt]`, `name[gte]`, `name[lt]` and `name[lte]`.
    pub fn time_range(&self, name: &str) -> Result<TimeRange, Invalid> {
        Ok(TimeRange {
            gt: self.time(&format!("{name}[gt]"))?,
            gte: self.time(&format!("{name}[gte]"))?,
            lt: self.time(&format!("{name}[lt]"))?,
            lte: self.time(&format!("{name}[lte]"))?,
        })
    }

    /// Returns the RFC 3339 instant `name`.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Invalid> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(at) => Ok(Some(at)),
            Err(_) => {
                let message = format!(
                    "expected a time such as 2026-01-31T12:00:00Z, got {}",
                    quoted(text)
                );
                Err(Invalid::at(name, message))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_with_brackets_encoded_or_not_and_as_repeated_keys() {
        for query in [
            "s[]=a&s[]=b",
            "s%5B%5D=a&s%5B%5D=b",
            "s=a&s=b",
            "s%5B%5D=a&x=1&s=b",
        ] {
            assert_eq!(
                Query::parse(query).list("s").unwrap(),
                ["a", "b"],
                "{query}"
            );
        }
        assert!(
            Query::parse("s[]=a&s[]=z")
                .list_of("s", &["a", "b"])
                .is_err()
        );
        let many = "s[]=a&".repeat(LIST_VALUES_MAX + 1);
        assert!(Query::parse(&many).list("s").is_err());
    }

    #[test]
    fn good_values() {
        let query = Query::parse(
            "limit=5&include_archived=true&order=asc&page=&beta=true\
             &created_at%5Bgte%5D=2026-01-02T03%3A04%3A05Z&created_at[lt]=2026-02-01T00:00:00%2B01:00",
        );
        assert_eq!(query.limit(20, 100).unwrap(), 5);
        assert!(query.flag("include_archived").unwrap());
        assert!(!query.flag("other").unwrap());
        assert_eq!(query.order(Order::Descending).unwrap(), Order::Ascending);
        assert_eq!(query.text("page").unwrap(), None);
        let range = query.time_range("created_at").unwrap();
        assert_eq!(range.gte, Some("2026-01-02T03:04:05Z".parse().unwrap()));
        assert_eq!(range.lt, Some("2026-01-31T23:00:00Z".parse().unwrap()));
        assert_eq!((range.gt, range.lte), (None, None));
    }

    #[test]
    fn bad_values_name_their_parameter() {
        type Read = fn(&Query) -> Option<Invalid>;
        let limit: Read = |q| q.limit(20, 100).err();
        let flag: Read = |q| q.flag("f").err();
        let order: Read = |q| q.order(Order::Ascending).err();
        let range: Read = |q| q.time_range("t").err();
        for (query, read, path) in [
            ("limit=0", limit, "limit"),
            ("limit=101", limit, "limit"),
            ("limit=-1", limit, "limit"),
            ("limit=5&limit=6", limit, "limit"),
            ("f=1", flag, "f"),
            ("order=up", order, "order"),
            ("t[gte]=yesterday", range, "t[gte]"),
            ("t[lte]=2026-01-02", range, "t[lte]"),
        ] {
            let error = read(&Query::parse(query)).unwrap_or_else(|| panic!("{query} passed"));
            assert_eq!(error.path, path, "{query}");
        }
    }
}

//! Time zones: what `TZ` names, in the C library's way.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::Civil;

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone {
    zone: TimeZone,
    /// What stands in the place of the zone's own abbreviation, where it was not found.
    name: Option<String>,
}

/// A time as a clock in a zone shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// What the clock shows.
    pub civil: Civil,
    /// Seconds east of Greenwich.
    pub offset: i64,
    /// Whether it is summer time.
    pub is_dst: bool,
    /// The abbreviation: `UTC`, `CEST`.
    pub abbreviation: String,
}

impl Zone {
    /// Universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self {
            zone: TimeZone::UTC,
            name: None,
        }
    }

    /// Returns the zone that the environment names; without `TZ` the system's.
    #[must_use]
    pub fn from_environment() -> Self {
        match std::env::var_os("TZ") {
            Some(name) => Self::named(&name.to_string_lossy()),
            None => Self {
                zone: TimeZone::try_system().unwrap_or(TimeZone::UTC),
                name: None,
            },
        }
    }

    /// Returns a zone by its name or by its rule, as `TZ` has it. One that does not exist is universal time under
    /// the letters that the name begins with.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let bare = name.strip_prefix(':').unwrap_or(name);
        let bare = bare.strip_prefix("/usr/share/zoneinfo/").unwrap_or(bare);
        if bare.is_empty() {
            return Self::utc();
        }
        if let Ok(zone) = TimeZone::get(bare) {
            return Self { zone, name: None };
        }
        if let Ok(zone) = TimeZone::posix(bare) {
            return Self { zone, name: None };
        }
        let letters: String = bare.chars().take_while(char::is_ascii_alphabetic).collect();
        let name = if letters.len() < 3 {
            "UTC".to_owned()
        } else {
            letters
        };
        Self {
            zone: TimeZone::UTC,
            name: Some(name),
        }
    }

    /// Returns a zone with a fixed offset in seconds east of Greenwich.
    pub(crate) fn fixed(offset: i64) -> Option<Self> {
        let offset = Offset::from_seconds(i32::try_from(offset).ok()?).ok()?;
        Some(Self {
            zone: TimeZone::fixed(offset),
            name: None,
        })
    }

    /// Returns what a clock here shows.
    #[must_use]
    pub fn local(&self, seconds: i64) -> Local {
        let info = self.zone.to_offset_info(timestamp(seconds));
        let offset = i64::from(info.offset().seconds());
        Local {
            civil: Civil::from_seconds(seconds.saturating_add(offset)),
            offset,
            is_dst: info.dst().is_dst(),
            abbreviation: self
                .name
                .clone()
                .unwrap_or_else(|| info.abbreviation().to_owned()),
        }
    }

    /// Returns when a clock here shows a time, as mktime(3) does: fields out of range are carried over, a time that
    /// is skipped comes out moved, of one that comes twice `is_dst` chooses, without that the last.
    #[must_use]
    pub fn seconds(&self, civil: &Civil, is_dst: Option<bool>) -> Option<i64> {
        let plain = civil.seconds()?;
        let mut found = Vec::new();
        // The offset of the day after it or of the day before is the one that holds.
        for near in [86_400, -86_400] {
            let offset = self.local(plain.saturating_add(near)).offset;
            let candidate = plain.checked_sub(offset)?;
            found.push((candidate, self.local(candidate)));
        }
        let shows = |local: &Local| local.civil.seconds() == Some(plain);
        let wanted = found
            .iter()
            .find(|(_, local)| shows(local) && is_dst.is_none_or(|dst| dst == local.is_dst));
        if let Some((seconds, _)) = wanted.or_else(|| found.iter().find(|(_, local)| shows(local)))
        {
            // It is summer time by the caller's word and not by the zone's: an hour lies between.
            return match is_dst {
                Some(dst) if wanted.is_none() && dst => self.shifted(*seconds, -3600),
                Some(_) if wanted.is_none() => self.shifted(*seconds, 3600),
                _ => Some(*seconds),
            };
        }
        found.first().map(|(seconds, _)| *seconds)
    }

    /// Returns a time that far away, in a zone that has summer time at all; else the time itself.
    fn shifted(&self, seconds: i64, by: i64) -> Option<i64> {
        let half_year = 182 * 86_400;
        let has_dst = [-half_year, half_year]
            .iter()
            .any(|away| self.local(seconds.saturating_add(*away)).is_dst)
            || self.local(seconds).is_dst;
        if has_dst {
            seconds.checked_add(by)
        } else {
            Some(seconds)
        }
    }

    /// Returns the abbreviations of a year, and whether each is of summer time.
    pub(crate) fn abbreviations(&self, seconds: i64) -> Vec<(String, bool)> {
        let quarter = 90 * 86_400;
        let mut known: Vec<(String, bool)> = Vec::new();
        for step in 0..4 {
            let local = self.local(seconds.saturating_add(step * quarter));
            if !known.iter().any(|(name, _)| *name == local.abbreviation) {
                known.push((local.abbreviation, local.is_dst));
            }
        }
        known
    }
}

/// Returns the time, or the last one before the end of what jiff knows, where rules no longer change.
fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

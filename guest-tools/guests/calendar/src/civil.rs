//! The Gregorian calendar without zones, for every year that 64 bits hold.

const DAY_SECONDS: i64 = 86_400;

/// A date and a time of day. Fields may be out of range until [`Civil::seconds`] has carried them over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year of the calendar; 0 is 1 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
}

impl Civil {
    /// Returns the date and time so many seconds after 1970 began.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        let (days, of_day) = (
            seconds.div_euclid(DAY_SECONDS),
            seconds.rem_euclid(DAY_SECONDS),
        );
        // Eras of 400 years that begin on the first of March.
        let days = days + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * shifted + 2) / 5 + 1,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
        }
    }

    /// Returns the seconds from the beginning of 1970, fields that are out of range carried over; nothing if that
    /// is no 64-bit number.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        let months = self.month.checked_sub(1)?;
        let year = self.year.checked_add(months.div_euclid(12))?;
        let month = months.rem_euclid(12) + 1;
        let year = if month <= 2 {
            year.checked_sub(1)?
        } else {
            year
        };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
        let days = era
            .checked_mul(146_097)?
            .checked_add(of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)?
            .checked_add(self.day.checked_sub(1)?)?;
        days.checked_mul(DAY_SECONDS)?
            .checked_add(self.hour.checked_mul(3600)?)?
            .checked_add(self.minute.checked_mul(60)?)?
            .checked_add(self.second)
    }

    /// Returns the day of the week; Sunday is 0.
    #[must_use]
    pub fn weekday(&self) -> i64 {
        self.days().map_or(0, |days| (days + 4).rem_euclid(7))
    }

    /// Returns the day of the year; the first is 0.
    #[must_use]
    pub fn year_day(&self) -> i64 {
        let first = Self {
            month: 1,
            day: 1,
            ..*self
        };
        match (self.days(), first.days()) {
            (Some(day), Some(first)) => day - first,
            _ => 0,
        }
    }

    /// Returns the year and number of the week as ISO 8601 counts them.
    pub(crate) fn iso_week(&self) -> (i64, i64) {
        let monday_based = (self.weekday() + 6) % 7;
        // The week belongs to the year that its Thursday is in.
        let thursday = self.year_day() + 3 - monday_based;
        let (year, of_year) = if thursday < 0 {
            (self.year - 1, thursday + year_days(self.year - 1))
        } else if thursday >= year_days(self.year) {
            (self.year + 1, thursday - year_days(self.year))
        } else {
            (self.year, thursday)
        };
        (year, of_year / 7 + 1)
    }

    fn days(&self) -> Option<i64> {
        Some(self.seconds()?.div_euclid(DAY_SECONDS))
    }
}

fn year_days(year: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    365 + i64::from(is_leap)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn goes_there_and_back() {
        for seconds in [
            0,
            -1,
            951_782_400,
            1_709_164_800,
            -62_135_596_801,
            253_402_300_800,
        ] {
            assert_eq!(
                Civil::from_seconds(seconds).seconds(),
                Some(seconds),
                "{seconds}"
            );
        }
        let carried = Civil {
            month: 14,
            day: 31,
            ..Civil::from_seconds(0)
        };
        let civil = Civil::from_seconds(carried.seconds().unwrap());
        assert_eq!((civil.year, civil.month, civil.day), (1971, 3, 3));
    }

    #[test]
    fn counts_weeks_as_iso() {
        let of = |text: &str| {
            let mut fields = text.split('-').map(|field| field.parse().unwrap());
            let mut next = || fields.next().unwrap();
            Civil {
                year: next(),
                month: next(),
                day: next(),
                ..Civil::from_seconds(0)
            }
            .iso_week()
        };
        assert_eq!(of("2021-01-03"), (2020, 53));
        assert_eq!(of("2024-12-30"), (2025, 1));
        assert_eq!(of("2024-01-01"), (2024, 1));
    }
}

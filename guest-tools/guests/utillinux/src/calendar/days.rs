//! The days of a month, in the Julian calendar up to a country's last day of it and the Gregorian one from then.

/// A day of a month: its number there and its number since 4713 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) day: i64,
    pub(super) number: i64,
}

/// A calendar with the number of its last Julian day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    pub(super) last_julian: i64,
}

fn julian(year: i64, month: i64, day: i64) -> i64 {
    let shift = (14 - month) / 12;
    let year = year + 4800 - shift;
    let month = month + 12 * shift - 3;
    day + (153 * month + 2) / 5 + 365 * year + year / 4 - 32083
}

fn gregorian(year: i64, month: i64, day: i64) -> i64 {
    let years = year + 4800 - (14 - month) / 12;
    julian(year, month, day) + 32083 - years / 100 + years / 400 - 32045
}

fn length(year: i64, month: i64, is_gregorian: bool) -> i64 {
    let is_leap = year % 4 == 0 && (!is_gregorian || year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Calendar {
    /// Returns the calendar whose last Julian day is given.
    pub(super) fn new((year, month, day): (i64, i64, i64)) -> Self {
        Self {
            last_julian: julian(year, month, day),
        }
    }

    /// Returns the days of a month; `month` counts from 1.
    pub(super) fn month(self, year: i64, month: i64) -> Vec<Day> {
        (1..=31)
            .filter_map(|day| {
                let old = julian(year, month, day);
                if old <= self.last_julian && day <= length(year, month, false) {
                    return Some(Day { day, number: old });
                }
                let new = gregorian(year, month, day);
                (new > self.last_julian && day <= length(year, month, true))
                    .then_some(Day { day, number: new })
            })
            .collect()
    }

    /// Returns the number of the first day of a year.
    pub(super) fn first(self, year: i64) -> i64 {
        let first = |day: &Day| day.number;
        self.month(year, 1).first().map_or(0, first)
    }

    /// Returns the week that begins with a day: the first of a year has at least `least` days of it.
    pub(super) fn week(self, begin: i64, year: i64, least: i64) -> i64 {
        let belongs = begin + 7 - least;
        let year = if belongs < self.first(year) {
            year - 1
        } else if belongs >= self.first(year + 1) {
            year + 1
        } else {
            year
        };
        (belongs - self.first(year)) / 7 + 1
    }

    /// Returns month and day of Easter, of the western churches (Gregorian), or of the orthodox ones in
    /// this calendar.
    pub(super) fn easter(self, year: i64, is_orthodox: bool) -> (i64, i64) {
        let number = if !is_orthodox && year > 1582 {
            let golden = year % 19;
            let century = year / 100;
            let h = (century - century / 4 - (8 * century + 13) / 25 + 19 * golden + 15) % 30;
            let i = h - h / 28 * (1 - h / 28 * (29 / (h + 1)) * ((21 - golden) / 11));
            let j = (year + year / 4 + i + 2 - century + century / 4) % 7;
            let l = i - j;
            let month = 3 + (l + 40) / 44;
            return (month, l + 28 - 31 * (month / 4));
        } else {
            let i = (19 * (year % 19) + 15) % 30;
            let j = (year + year / 4 + i) % 7;
            let l = i - j;
            let month = 3 + (l + 40) / 44;
            julian(year, month, l + 28 - 31 * (month / 4))
        };
        (3..=5)
            .find_map(|month| {
                let days = self.month(year, month);
                let day = days.into_iter().find(|day| day.number == number)?;
                Some((month, day.day))
            })
            .unwrap_or((0, 0))
    }
}

/// Returns the place of a day in its week that begins with Sunday, or with Monday.
pub(super) fn weekday(number: i64, begins_on_monday: bool) -> i64 {
    (number + i64::from(!begins_on_monday)).rem_euclid(7)
}

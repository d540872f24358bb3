//! Months side by side: weeks as lines (cal), or weeks as columns (ncal).

use super::days::{self, Calendar, Day};

/// How months are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) calendar: Calendar,
    pub(super) weeks_are_lines: bool,
    pub(super) begins_on_monday: bool,
    /// Days count from the first of the year.
    pub(super) is_of_year: bool,
    pub(super) shows_weeks: bool,
    pub(super) first_week_days: i64,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"];
/// The weeks that a month touches, at most.
const WEEKS: i64 = 6;

/// Returns the name of a month that counts from 1.
pub(super) fn month_name(month: i64) -> &'static str {
    usize::try_from(month - 1)
        .ok()
        .and_then(|place| MONTHS.get(place))
        .unwrap_or(&"")
}

/// Shows the months from one to another, both counted from the year 0.
pub(super) fn months(form: &Form, first: i64, last: i64) -> String {
    let across = match (form.weeks_are_lines, form.is_of_year) {
        (true, true) => 2,
        (false, false) => 4,
        _ => 3,
    };
    let width = match (form.weeks_are_lines, form.is_of_year) {
        (true, true) => 27,
        (true, false) if form.shows_weeks => 25,
        (true, false) => 20,
        (false, true) => 24,
        (false, false) => 18,
    };
    let mut out = String::new();
    let mut has_year_above = false;
    let mut at = first;
    while at <= last {
        let end = (at + across - 1).min(last);
        if at != first {
            out.push('\n');
        }
        if at % 12 == 0 || at == first {
            has_year_above = at % across == 0 && end - at + 1 == across;
            if has_year_above {
                let year = (at / 12).to_string();
                let whole = width * usize::try_from(across).unwrap_or(1);
                let blanks = whole.saturating_sub(year.len()) / 2;
                out.push_str(&" ".repeat(blanks));
                out.push_str(&year);
                out.push('\n');
            }
        }
        let shown: Vec<Month> = (at..=end)
            .map(|number| Month::new(form, number, has_year_above))
            .collect();
        if form.weeks_are_lines {
            lines(form, &shown, width, &mut out);
        } else {
            columns(form, &shown, width, &mut out);
        }
        at = end + 1;
    }
    out
}

struct Month {
    title: String,
    year: i64,
    days: Vec<Day>,
}

impl Month {
    fn new(form: &Form, number: i64, has_year_above: bool) -> Self {
        let (year, month) = (number / 12, number % 12 + 1);
        let name = month_name(month);
        Self {
            title: if has_year_above {
                name.to_owned()
            } else {
                format!("{name} {year}")
            },
            year,
            days: form.calendar.month(year, month),
        }
    }

    /// Returns the number of the day with which the week of the month's first day begins.
    fn begin(&self, form: &Form) -> i64 {
        self.days.first().map_or(0, |day| {
            day.number - days::weekday(day.number, form.begins_on_monday)
        })
    }

    /// Returns what stands for a day, if the month has it.
    fn label(&self, form: &Form, number: i64) -> Option<i64> {
        let day = self.days.iter().find(|day| day.number == number)?;
        Some(if form.is_of_year {
            number - form.calendar.first(self.year) + 1
        } else {
            day.day
        })
    }

    /// Returns the number of a week, if the month has days in it.
    fn week(&self, form: &Form, nth: i64) -> Option<i64> {
        let begin = self.begin(form) + 7 * nth;
        (begin..begin + 7)
            .any(|number| self.label(form, number).is_some())
            .then(|| form.calendar.week(begin, self.year, form.first_week_days))
    }
}

fn weekday_names(form: &Form) -> impl Iterator<Item = &'static str> {
    WEEKDAYS
        .iter()
        .cycle()
        .skip(usize::from(form.begins_on_monday))
        .take(7)
        .copied()
}

fn lines(form: &Form, shown: &[Month], width: usize, out: &mut String) {
    let cell = if form.is_of_year { 3 } else { 2 };
    for month in shown {
        let blanks = width.saturating_sub(month.title.len()) / 2;
        let title = format!("{:blanks$}{}", "", month.title);
        out.push_str(&format!("{title:width$}  "));
    }
    out.push('\n');
    let end = if form.shows_weeks { "   " } else { "  " };
    for _ in shown {
        let names: Vec<String> = weekday_names(form)
            .map(|name| format!("{name:>cell$}"))
            .collect();
        out.push_str(if form.shows_weeks { " w| " } else { "" });
        out.push_str(&names.join(" "));
        out.push_str(end);
    }
    out.push('\n');
    for nth in 0..WEEKS {
        for month in shown {
            let begin = month.begin(form) + 7 * nth;
            let days: Vec<String> = (begin..begin + 7)
                .map(|number| match month.label(form, number) {
                    Some(label) => format!("{label:>cell$}"),
                    None => " ".repeat(cell),
                })
                .collect();
            if form.shows_weeks {
                out.push_str(&match month.week(form, nth) {
                    Some(week) => format!("{week:>2}| "),
                    None => "    ".to_owned(),
                });
            }
            out.push_str(&days.join(" "));
            out.push_str(end);
        }
        out.push('\n');
    }
}

fn columns(form: &Form, shown: &[Month], width: usize, out: &mut String) {
    let cell = if form.is_of_year { 4 } else { 3 };
    out.push_str("    ");
    for month in shown {
        out.push_str(&format!("{:width$}", month.title));
    }
    out.push('\n');
    for (place, name) in (0..).zip(weekday_names(form)) {
        out.push_str(name);
        for month in shown {
            for nth in 0..WEEKS {
                let number = month.begin(form) + 7 * nth + place;
                out.push_str(&match month.label(form, number) {
                    Some(label) => format!("{label:>cell$}"),
                    None => " ".repeat(cell),
                });
            }
        }
        out.push('\n');
    }
    if form.shows_weeks {
        out.push_str("  ");
        for month in shown {
            for nth in 0..WEEKS {
                out.push_str(&match month.week(form, nth) {
                    Some(week) => format!("{week:>cell$}"),
                    None => " ".repeat(cell),
                });
            }
        }
        out.push('\n');
    }
}

//! cal and ncal: calendars, as Debian's ncal 12.1.

mod countries;
mod days;
mod show;

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use gnu_options::Item;

use crate::report;

use days::Calendar;
use show::Form;

/// The country whose change of calendars counts if none is named.
const COUNTRY: &str = "US";
const YEAR_MAX: i64 = 9999;
/// What sysexits.h calls a usage error.
const USAGE_STATUS: u8 = 64;
/// Months before and after: more than all years have.
const MONTHS_MAX: i64 = 12 * YEAR_MAX;

const CAL: gnu_options::Options = gnu_options::Options {
    short: "31A:B:bCd:eH:hJjm:Mops:SwW:y",
    long: &[],
};
const NCAL: gnu_options::Options = gnu_options::Options {
    short: "31A:B:bCd:eH:hJjm:MNops:SwW:y",
    long: &[],
};

struct Wish {
    form: Form,
    country: &'static str,
    month: Option<String>,
    /// The year and month that count as now.
    now: (i64, i64),
    before: i64,
    after: i64,
    is_year: bool,
    /// Whether that of the orthodox churches is asked for.
    easter: Option<bool>,
    lists_countries: bool,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let options = if program == "cal" { &CAL } else { &NCAL };
    let (items, error) = gnu_options::parse(options, arguments);
    if let Some(error) = error {
        report::complain(program, error);
        return usage();
    }
    let wish = match read(program, &items) {
        Ok(wish) => wish,
        Err(message) => return fail(program, message),
    };
    let Some(wish) = wish else {
        return usage();
    };
    let operands: Vec<&String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Operand(word) => Some(word),
            Item::Option(..) => None,
        })
        .collect();
    if wish.lists_countries {
        return report::print(program, countries::list(wish.country));
    }
    match answer(&wish, &operands) {
        Ok(Some(text)) => report::print(program, text),
        Ok(None) => usage(),
        Err(message) => fail(program, message),
    }
}

fn fail(program: &str, message: String) -> u8 {
    report::complain(program, message);
    USAGE_STATUS
}

fn usage() -> u8 {
    let _ = io::stderr().write_all(USAGE.as_bytes());
    USAGE_STATUS
}

/// Reads the options; none where they do not go together.
fn read(program: &str, items: &[Item]) -> Result<Option<Wish>, String> {
    let mut wish = Wish {
        form: Form {
            calendar: Calendar::new((1752, 9, 2)),
            weeks_are_lines: program == "cal",
            begins_on_monday: false,
            is_of_year: false,
            shows_weeks: false,
            first_week_days: 4,
        },
        country: COUNTRY,
        month: None,
        now: today(),
        before: 0,
        after: 0,
        is_year: false,
        easter: None,
        lists_countries: false,
    };
    let mut is_julian = false;
    let is_plain = program == "cal";
    for item in items {
        let Item::Option(letter, value, _) = item else {
            continue;
        };
        let value = value.as_deref().unwrap_or("");
        if is_plain && "beHhJMopsSwW".contains(*letter) {
            return Ok(None);
        }
        match letter {
            '3' => (wish.before, wish.after) = (1, 1),
            '1' => (wish.before, wish.after) = (0, 0),
            'A' => wish.after = number(value).min(MONTHS_MAX),
            'B' => wish.before = number(value).min(MONTHS_MAX),
            'b' | 'C' => wish.form.weeks_are_lines = true,
            'N' => wish.form.weeks_are_lines = false,
            'd' => {
                let (year, month) = value.split_once('-').unwrap_or((value, "1"));
                let months = number(year) * 12 + number(month).max(1) - 1;
                wish.now = (months / 12, months % 12 + 1);
            }
            'e' => wish.easter = Some(false),
            'o' => wish.easter = Some(true),
            'J' => is_julian = true,
            'j' => wish.form.is_of_year = true,
            'm' => wish.month = Some(value.to_owned()),
            'M' => wish.form.begins_on_monday = true,
            'S' => wish.form.begins_on_monday = false,
            'p' => wish.lists_countries = true,
            's' => {
                let found = countries::COUNTRIES
                    .iter()
                    .find(|(code, ..)| *code == value);
                let (code, _, last) =
                    found.ok_or_else(|| format!("{value}: invalid country code"))?;
                wish.country = code;
                wish.form.calendar = Calendar::new(*last);
            }
            'w' => wish.form.shows_weeks = true,
            'W' => match number(value) {
                days @ 1..=7 => {
                    wish.form.first_week_days = days;
                    wish.form.shows_weeks = true;
                }
                _ => return Err(format!("illegal number of days {value}")),
            },
            'y' => wish.is_year = true,
            // What is highlighted is so on terminals only.
            _ => {}
        }
    }
    if is_julian {
        wish.form.calendar.last_julian = i64::MAX;
    }
    let is_wrong = wish.month.is_some() && wish.is_year
        || wish.easter.is_some()
            && (wish.is_year || wish.before + wish.after > 0 || wish.form.shows_weeks);
    Ok((!is_wrong).then_some(wish))
}

/// Reads as many digits as there are.
fn number(text: &str) -> i64 {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    match text.get(..end).unwrap_or("") {
        "" => 0,
        digits => digits
            .parse()
            .map_or(99_999, |number: i64| number.min(99_999)),
    }
}

fn answer(wish: &Wish, operands: &[&String]) -> Result<Option<String>, String> {
    let (mut year, mut month) = wish.now;
    let mut is_year = wish.is_year;
    let (month_word, year_word) = match (operands, &wish.month) {
        ([], month) => (month.as_ref(), None),
        ([year], month) => (month.as_ref(), Some(*year)),
        ([month, year], None) => (Some(*month), Some(*year)),
        _ => return Ok(None),
    };
    if let Some(word) = year_word {
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(format!("not a valid year {word}"));
        }
        year = number(word);
        is_year |= month_word.is_none() && wish.easter.is_none();
    }
    if !(1..=YEAR_MAX).contains(&year) {
        let shown = year_word.map_or_else(|| year.to_string(), |word| word.clone());
        return Err(format!("year `{shown}' not in range 1..9999"));
    }
    if let Some(is_orthodox) = wish.easter {
        if month_word.is_some() {
            return Ok(None);
        }
        let (month, day) = wish.form.calendar.easter(year, is_orthodox);
        return Ok(Some(format!("{month:02}/{day:02}/{:02}\n", year % 100)));
    }
    if let Some(word) = month_word {
        let (name, shift) = match word.strip_suffix(['p', 'P', 'f', 'F']) {
            Some(name) if number(name) > 0 && name.bytes().all(|byte| byte.is_ascii_digit()) => {
                let is_past = word.ends_with(['p', 'P']);
                (
                    name,
                    shift(number(name), month, year_word.is_some(), is_past),
                )
            }
            _ => (word.as_str(), 0),
        };
        month = month_number(name)
            .ok_or_else(|| format!("{word} is neither a month number (1..12) nor a name"))?;
        year += shift;
    }
    let (first, last) = if is_year {
        (year * 12, year * 12 + 11)
    } else {
        let at = year * 12 + month - 1;
        (at, at)
    };
    let first = (first - wish.before).max(0);
    let last = (last + wish.after).min(YEAR_MAX * 12 + 11);
    Ok(Some(show::months(&wish.form, first, last)))
}

/// Returns by how many years the past or next month of a number is off.
fn shift(month: i64, now: i64, has_year: bool, is_past: bool) -> i64 {
    match (has_year, is_past) {
        (true, true) => -1,
        (true, false) => 0,
        (false, true) => -i64::from(month >= now),
        (false, false) => i64::from(month <= now),
    }
}

fn month_number(word: &str) -> Option<i64> {
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(number(word)).filter(|month| (1..=12).contains(month));
    }
    let lower = word.to_lowercase();
    // The first three letters count.
    let short = lower.get(..3)?;
    (1..=12).find(|month| show::month_name(*month).to_lowercase().starts_with(short))
}

/// Returns the year and month of now, in UTC: a hand has no other zone.
fn today() -> (i64, i64) {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let days = i64::try_from(seconds / 86_400).unwrap_or(0);
    // Days since 1 March of the year 0.
    let day = days + 719_468;
    let era = day / 146_097;
    let of_era = day % 146_097;
    let of_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let rest = of_era - (365 * of_year + of_year / 4 - of_year / 100);
    let month = (5 * rest + 2) / 153;
    let year = of_year + era * 400 + i64::from(month >= 10);
    (year, (month + 2) % 12 + 1)
}

const USAGE: &str = "\
Usage: cal [general options] [-jy] [[month] year]
       cal [general options] [-j] [-m month] [year]
       ncal -C [general options] [-jy] [[month] year]
       ncal -C [general options] [-j] [-m month] [year]
       ncal [general options] [-bhJjpwySM] [-H yyyy-mm-dd] [-s country_code] [-W number of days] [[month] year]
       ncal [general options] [-Jeo] [year]
General options: [-31] [-A months] [-B months] [-d yyyy-mm]
";

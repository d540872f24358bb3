//! The words that a time may be written in, and the pieces that a text falls into.

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Digits, with their number.
    Number {
        value: i64,
        digits: usize,
    },
    /// A number with a sign; `value` has it.
    Signed {
        value: i64,
        is_negative: bool,
        digits: usize,
    },
    /// A number with a fraction.
    Decimal {
        seconds: i64,
        nanoseconds: i64,
        has_sign: bool,
    },
    Am,
    Pm,
    Month(i64),
    Day(i64),
    /// `next`, `last`, `third`.
    Ordinal(i64),
    /// A unit of time and how many of it.
    Unit(Unit, i64),
    /// `tomorrow`: a number of days.
    DayShift(i64),
    /// `ago` is -1, `hence` 1.
    Ago(i64),
    /// A zone: minutes east of Greenwich, and whether it is one of summer time.
    Zone(i64, bool),
    /// A name of the zone that times are in anyway; whether it is that of summer time.
    LocalZone(bool),
    /// The word `DST`.
    Dst,
    /// The letter `J`, the local zone of the military.
    J,
    /// The letter `T`: a zone, or what parts a date and a time.
    T,
    /// Any other character, or a word that means nothing.
    Other(char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

const MONTHS: &[(&str, i64)] = &[
    ("JANUARY", 1),
    ("FEBRUARY", 2),
    ("MARCH", 3),
    ("APRIL", 4),
    ("MAY", 5),
    ("JUNE", 6),
    ("JULY", 7),
    ("AUGUST", 8),
    ("SEPTEMBER", 9),
    ("SEPT", 9),
    ("OCTOBER", 10),
    ("NOVEMBER", 11),
    ("DECEMBER", 12),
];

const DAYS: &[(&str, i64)] = &[
    ("SUNDAY", 0),
    ("MONDAY", 1),
    ("TUESDAY", 2),
    ("TUES", 2),
    ("WEDNESDAY", 3),
    ("WEDNES", 3),
    ("THURSDAY", 4),
    ("THUR", 4),
    ("THURS", 4),
    ("FRIDAY", 5),
    ("SATURDAY", 6),
];

const ORDINALS: &[(&str, i64)] = &[
    ("LAST", -1),
    ("THIS", 0),
    ("NEXT", 1),
    ("FIRST", 1),
    ("THIRD", 3),
    ("FOURTH", 4),
    ("FIFTH", 5),
    ("SIXTH", 6),
    ("SEVENTH", 7),
    ("EIGHTH", 8),
    ("NINTH", 9),
    ("TENTH", 10),
    ("ELEVENTH", 11),
    ("TWELFTH", 12),
];

const UNITS: &[(&str, Unit, i64)] = &[
    ("YEAR", Unit::Year, 1),
    ("MONTH", Unit::Month, 1),
    ("FORTNIGHT", Unit::Day, 14),
    ("WEEK", Unit::Day, 7),
    ("DAY", Unit::Day, 1),
    ("HOUR", Unit::Hour, 1),
    ("MINUTE", Unit::Minute, 1),
    ("MIN", Unit::Minute, 1),
    ("SECOND", Unit::Second, 1),
    ("SEC", Unit::Second, 1),
];

/// Zones that have one meaning for every reader: standard time in minutes, and whether the name is of summer time.
const ZONES: &[(&str, i64, bool)] = &[
    ("WET", 0, false),
    ("WEST", 0, true),
    ("BST", 0, true),
    ("ART", -180, false),
    ("BRT", -180, false),
    ("BRST", -180, true),
    ("NST", -210, false),
    ("NDT", -210, true),
    ("AST", -240, false),
    ("ADT", -240, true),
    ("CLT", -240, false),
    ("CLST", -240, true),
    ("EST", -300, false),
    ("EDT", -300, true),
    ("CST", -360, false),
    ("CDT", -360, true),
    ("MST", -420, false),
    ("MDT", -420, true),
    ("PST", -480, false),
    ("PDT", -480, true),
    ("AKST", -540, false),
    ("AKDT", -540, true),
    ("HST", -600, false),
    ("HAST", -600, false),
    ("HADT", -600, true),
    ("SST", -720, false),
    ("WAT", 60, false),
    ("CET", 60, false),
    ("CEST", 60, true),
    ("MET", 60, false),
    ("MEZ", 60, false),
    ("MEST", 60, true),
    ("MESZ", 60, true),
    ("EET", 120, false),
    ("EEST", 120, true),
    ("CAT", 120, false),
    ("SAST", 120, false),
    ("EAT", 180, false),
    ("MSK", 180, false),
    ("MSD", 180, true),
    ("IST", 330, false),
    ("SGT", 480, false),
    ("KST", 540, false),
    ("JST", 540, false),
    ("GST", 600, false),
    ("NZST", 720, false),
    ("NZDT", 720, true),
];

/// Splits a text. `local` has the abbreviations of the local zone and whether each is of summer time.
pub(crate) fn tokens(text: &str, local: &[(String, bool)]) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|one: char| one.is_ascii_whitespace() || one == '\x0b');
        let Some(first) = rest.chars().next() else {
            return Some(found);
        };
        if first.is_ascii_digit() || first == '-' || first == '+' {
            let unsigned = if first.is_ascii_digit() {
                rest
            } else {
                rest.get(1..)?
                    .trim_start_matches(|one: char| one.is_ascii_whitespace())
            };
            if !unsigned.starts_with(|one: char| one.is_ascii_digit()) {
                // A sign before no number means nothing.
                rest = unsigned;
                continue;
            }
            let (token, after) = number(unsigned, first)?;
            found.push(token);
            rest = after;
        } else if first.is_ascii_alphabetic() {
            let end = rest
                .find(|one: char| !one.is_ascii_alphabetic() && one != '.')
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(end)?;
            found.push(of_word(word, local));
            rest = after;
        } else if first == '(' {
            rest = behind_comment(rest);
        } else {
            found.push(Token::Other(first));
            rest = rest.get(first.len_utf8()..)?;
        }
    }
}

/// Reads digits and perhaps a fraction; `first` is the sign, if there is one.
fn number(text: &str, first: char) -> Option<(Token, &str)> {
    let end = text
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let is_negative = first == '-';
    let has_sign = is_negative || first == '+';
    let mut value: i64 = digits.parse().ok()?;
    if is_negative {
        value = -value;
    }
    let fraction = rest
        .strip_prefix(['.', ','])
        .filter(|fraction| fraction.starts_with(|one: char| one.is_ascii_digit()));
    if let Some(fraction) = fraction {
        let end = fraction
            .find(|one: char| !one.is_ascii_digit())
            .unwrap_or(fraction.len());
        let (places, rest) = fraction.split_at_checked(end)?;
        let mut nanoseconds: i64 = 0;
        for place in 0..9 {
            let digit = places
                .as_bytes()
                .get(place)
                .map_or(0, |byte| i64::from(byte - b'0'));
            nanoseconds = nanoseconds * 10 + digit;
        }
        if is_negative {
            // Time goes down: what is cut off counts as a whole.
            if places.bytes().skip(9).any(|byte| byte != b'0') {
                nanoseconds += 1;
            }
            if nanoseconds > 0 {
                value -= 1;
                nanoseconds = 1_000_000_000 - nanoseconds;
            }
        }
        return Some((
            Token::Decimal {
                seconds: value,
                nanoseconds,
                has_sign,
            },
            rest,
        ));
    }
    let digits = digits.len();
    let token = if has_sign {
        Token::Signed {
            value,
            is_negative,
            digits,
        }
    } else {
        Token::Number { value, digits }
    };
    Some((token, rest))
}

fn behind_comment(text: &str) -> &str {
    let mut depth = 0_usize;
    for (place, one) in text.char_indices() {
        match one {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(place + 1..).unwrap_or_default();
        }
    }
    ""
}

fn of_word(word: &str, local: &[(String, bool)]) -> Token {
    let word = word.to_ascii_uppercase();
    match word.as_str() {
        "AM" | "A.M." => return Token::Am,
        "PM" | "P.M." => return Token::Pm,
        _ => {}
    }
    let short = word
        .get(..3)
        .filter(|_| word.len() == 3 || (word.len() == 4 && word.ends_with('.')));
    let among = |table: &[(&str, i64)]| {
        table
            .iter()
            .find(|(name, _)| short.map_or(*name == word, |short| name.starts_with(short)))
            .map(|(_, value)| *value)
    };
    if let Some(month) = among(MONTHS) {
        return Token::Month(month);
    }
    if let Some(day) = among(DAYS) {
        return Token::Day(day);
    }
    if let Some(zone) = zone(&word, local) {
        return zone;
    }
    if word == "DST" {
        return Token::Dst;
    }
    let unit = |word: &str| {
        UNITS
            .iter()
            .find(|(name, ..)| *name == word)
            .map(|(_, unit, count)| Token::Unit(*unit, *count))
    };
    if let Some(unit) = unit(&word).or_else(|| unit(word.strip_suffix('S')?)) {
        return unit;
    }
    match word.as_str() {
        "TOMORROW" => return Token::DayShift(1),
        "YESTERDAY" => return Token::DayShift(-1),
        "TODAY" | "NOW" => return Token::DayShift(0),
        "AGO" => return Token::Ago(-1),
        "HENCE" => return Token::Ago(1),
        _ => {}
    }
    if let Some((_, value)) = ORDINALS.iter().find(|(name, _)| *name == word) {
        return Token::Ordinal(*value);
    }
    if let Some(letter) = military(&word) {
        return letter;
    }
    if word.contains('.')
        && let Some(zone) = zone(&word.replace('.', ""), local)
    {
        return zone;
    }
    Token::Other('?')
}

fn zone(word: &str, local: &[(String, bool)]) -> Option<Token> {
    if matches!(word, "GMT" | "UT" | "UTC") {
        return Some(Token::Zone(0, false));
    }
    if let Some((_, is_dst)) = local.iter().find(|(name, _)| name == word) {
        return Some(Token::LocalZone(*is_dst));
    }
    ZONES
        .iter()
        .find(|(name, ..)| *name == word)
        .map(|(_, minutes, is_dst)| Token::Zone(*minutes, *is_dst))
}

/// Returns the zone that a letter stands for: A is an hour east of Greenwich, N one west of it.
fn military(word: &str) -> Option<Token> {
    let [letter] = word.as_bytes() else {
        return None;
    };
    let hours = match letter {
        b'J' => return Some(Token::J),
        b'T' => return Some(Token::T),
        b'A'..=b'I' => i64::from(letter - b'A') + 1,
        b'K'..=b'M' => i64::from(letter - b'K') + 10,
        b'N'..=b'Y' => -(i64::from(letter - b'N') + 1),
        b'Z' => 0,
        _ => return None,
    };
    Some(Token::Zone(hours * 60, false))
}

//! Command lines are checked here before a utility sees them, so that what is wrong is told in GNU's words.

use std::io::{self, Write};

use gnu_options::named::{self, Item, Order};

/// What a utility takes.
struct Usage {
    name: &'static str,
    /// Its options, as `gnu_options::named` reads them.
    options: &'static str,
    least: usize,
    most: usize,
}

const ANY: usize = usize::MAX;
const SUM: &str = "b/binary c/check tag t/text z/zero ignore-missing quiet status strict w/warn";

const fn takes(name: &'static str, options: &'static str, least: usize, most: usize) -> Usage {
    Usage {
        name,
        options,
        least,
        most,
    }
}

/// The utilities whose command lines are read by getopt, in order. Those that are not here have a syntax of their own.
const USAGES: &[Usage] = &[
    takes(
        "b2sum",
        "b/binary c/check l/length= tag t/text z/zero ignore-missing quiet status strict w/warn",
        0,
        ANY,
    ),
    takes("basename", "a/multiple s/suffix= z/zero", 1, ANY),
    takes(
        "cat",
        "A/show-all b/number-nonblank e E/show-ends n/number s/squeeze-blank t T/show-tabs u v/show-nonprinting",
        0,
        ANY,
    ),
    takes(
        "cksum",
        "a/algorithm= b/binary c/check l/length= debug tag t/text untagged z/zero ignore-missing quiet status strict w/warn",
        0,
        ANY,
    ),
    takes(
        "comm",
        "1 2 3 check-order nocheck-order output-delimiter= total z/zero-terminated",
        2,
        2,
    ),
    takes(
        "csplit",
        "b/suffix-format= f/prefix= k/keep-files n/digits= s/quiet q/silent suppress-matched z/elide-empty-files",
        2,
        ANY,
    ),
    takes(
        "dircolors",
        "b/sh bourne-shell c/csh c-shell p/print-database print-ls-colors",
        0,
        1,
    ),
    takes("dirname", "z/zero", 1, ANY),
    takes(
        "expand",
        "i/initial t/tabs= 0=? 1=? 2=? 3=? 4=? 5=? 6=? 7=? 8=? 9=?",
        0,
        ANY,
    ),
    takes("factor", "", 0, ANY),
    takes(
        "head",
        "c/bytes= n/lines= q/quiet silent v/verbose z/zero-terminated",
        0,
        ANY,
    ),
    takes("link", "", 2, 2),
    takes("md5sum", SUM, 0, ANY),
    takes(
        "nl",
        "h/header-numbering= b/body-numbering= f/footer-numbering= v/starting-line-number= i/line-increment= \
         p/no-renumber l/join-blank-lines= s/number-separator= w/number-width= n/number-format= d/section-delimiter=",
        0,
        ANY,
    ),
    takes(
        "numfmt",
        "from= from-unit= to= to-unit= round= padding= suffix= grouping d/delimiter= field= debug header=? format= \
         invalid= z/zero-terminated",
        0,
        ANY,
    ),
    takes(
        "od",
        "A/address-radix= j/skip-bytes= N/read-bytes= S= strings=? t/format= v/output-duplicates w/width=? traditional \
         endian= a b c d f e h i l o s x B D F H I L O X",
        0,
        ANY,
    ),
    takes("paste", "s/serial d/delimiters= z/zero-terminated", 0, ANY),
    takes("pathchk", "p P portability", 1, ANY),
    takes("printenv", "0/null", 0, ANY),
    takes("pwd", "L/logical P/physical", 0, ANY),
    takes(
        "readlink",
        "f/canonicalize e/canonicalize-existing m/canonicalize-missing n/no-newline q/quiet s/silent v/verbose z/zero",
        1,
        ANY,
    ),
    takes(
        "realpath",
        "e/canonicalize-existing m/canonicalize-missing L/logical P/physical q/quiet relative-to= relative-base= \
         s/strip no-symlinks z/zero",
        1,
        ANY,
    ),
    takes(
        "rm",
        "d/dir f/force i I interactive=? one-file-system no-preserve-root preserve-root=? r/recursive R v/verbose",
        1,
        ANY,
    ),
    takes(
        "rmdir",
        "ignore-fail-on-non-empty p/parents v/verbose",
        1,
        ANY,
    ),
    takes("sha1sum", SUM, 0, ANY),
    takes("sha224sum", SUM, 0, ANY),
    takes("sha256sum", SUM, 0, ANY),
    takes("sha384sum", SUM, 0, ANY),
    takes("sha512sum", SUM, 0, ANY),
    takes(
        "shred",
        "f/force n/iterations= random-source= s/size= u remove=? v/verbose x/exact z/zero",
        1,
        ANY,
    ),
    takes(
        "shuf",
        "e/echo i/input-range= n/head-count= o/output= r/repeat random-source= z/zero-terminated",
        0,
        ANY,
    ),
    takes("sleep", "", 1, ANY),
    takes(
        "split",
        "a/suffix-length= additional-suffix= b/bytes= C/line-bytes= d numeric-suffixes=? x hex-suffixes=? \
         e/elide-empty-files filter= l/lines= n/number= t/separator= u/unbuffered verbose 0 1 2 3 4 5 6 7 8 9",
        0,
        2,
    ),
    takes("sum", "r s/sysv", 0, ANY),
    takes(
        "tee",
        "a/append i/ignore-interrupts p output-error=?",
        0,
        ANY,
    ),
    takes(
        "tr",
        "c C/complement d/delete s/squeeze-repeats t/truncate-set1",
        1,
        ANY,
    ),
    takes(
        "truncate",
        "c/no-create o/io-blocks r/reference= s/size=",
        0,
        ANY,
    ),
    takes("tsort", "", 0, 1),
    takes("tty", "s/silent quiet", 0, 0),
    takes(
        "unexpand",
        "a/all first-only t/tabs= 0=? 1=? 2=? 3=? 4=? 5=? 6=? 7=? 8=? 9=?",
        0,
        ANY,
    ),
    takes(
        "uniq",
        "c/count d/repeated D all-repeated=? f/skip-fields= group=? i/ignore-case s/skip-chars= u/unique w/check-chars= \
         z/zero-terminated 0 1 2 3 4 5 6 7 8 9",
        0,
        2,
    ),
    takes("unlink", "", 1, 1),
    takes("yes", "", 0, ANY),
];

/// Returns the arguments for the utility, or the status to end with when they are wrong and that has been told.
pub(crate) fn check(name: &str, arguments: &[String]) -> Result<Vec<String>, u8> {
    let place = USAGES.binary_search_by_key(&name, |usage| usage.name);
    let Some(usage) = place.ok().and_then(|place| USAGES.get(place)) else {
        return Ok(adapted(name, arguments));
    };
    if name == "head" && is_old_count(arguments.first()) {
        return Ok(old_head(arguments));
    }
    let order = match name {
        "basename" | "printenv" | "tr" | "yes" => Order::First,
        _ => Order::Any,
    };
    let complain = |message: &str| {
        // Without standard error there is nobody to tell.
        let _ = writeln!(
            io::stderr(),
            "{name}: {message}\nTry '{name} --help' for more information."
        );
        match name {
            "printenv" | "tty" => 2,
            _ => 1,
        }
    };
    let items = named::parse(arguments, usage.options, order).map_err(|error| complain(&error))?;
    let mut options = Vec::new();
    let mut operands = Vec::new();
    for item in &items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return Ok(vec!["--help".to_owned()]),
            Item::Option("version", _) => {
                let written = writeln!(io::stdout(), "{name} (Sinew, as GNU coreutils) 9.1");
                return Err(u8::from(written.is_err()));
            }
            Item::Option(option, _) => options.push(*option),
        }
    }
    let has = |option: &str| options.contains(&option);
    if name == "split" && has("filter") {
        return Err(complain(
            "--filter is not supported here; split into files and read those",
        ));
    }
    let (mut least, mut most) = (usage.least, usage.most);
    match name {
        "rm" if has("force") => least = 0,
        "basename" if !has("multiple") && !has("suffix") => most = 2,
        "shuf" if has("input-range") => most = 0,
        "shuf" if !has("echo") => most = 1,
        "tr" if !has("delete") && !has("squeeze-repeats") => least = 1,
        _ => {}
    }
    if operands.len() < least {
        return Err(complain(&match operands.last() {
            Some(last) => format!("missing operand after ‘{last}’"),
            None if name == "shred" => "missing file operand".to_owned(),
            None => "missing operand".to_owned(),
        }));
    }
    if let Some(extra) = operands.get(most) {
        return Err(complain(&format!("extra operand ‘{extra}’")));
    }
    if name == "truncate" {
        if !has("size") && !has("reference") {
            return Err(complain(
                "you must specify either ‘--size’ or ‘--reference’",
            ));
        }
        if operands.is_empty() {
            return Err(complain("missing file operand"));
        }
    }
    Ok(adapted(name, arguments))
}

/// Puts the few things differently that the utility would misunderstand.
fn adapted(name: &str, arguments: &[String]) -> Vec<String> {
    let mut adapted = arguments.to_vec();
    match name {
        // Columns are bytes.
        "expand" | "unexpand" => adapted.insert(0, "--no-utf8".to_owned()),
        "od" => {
            for word in &mut adapted {
                if word == "-w" || word == "--width" {
                    *word = "-w32".to_owned();
                }
            }
        }
        "nl" => join_negative(&mut adapted, "-v", "--starting-line-number"),
        // Another spelling of `=`, where an operator may stand.
        "expr" => {
            for word in adapted.iter_mut().skip(1) {
                if word == "==" {
                    *word = "=".to_owned();
                }
            }
        }
        // Nothing is held back anyway.
        "split" => adapted.retain(|word| word != "-u" && word != "--unbuffered"),
        _ => {}
    }
    adapted
}

/// Makes one word of an option and its negative number.
fn join_negative(words: &mut Vec<String>, short: &str, long: &str) {
    let place = words.windows(2).position(
        |pair| matches!(pair, [option, number] if option == short && number.starts_with('-')),
    );
    if let Some(place) = place {
        let number = words.remove(place + 1);
        if let Some(word) = words.get_mut(place) {
            *word = format!("{long}={number}");
        }
    }
}

fn is_old_count(word: Option<&String>) -> bool {
    word.and_then(|word| word.strip_prefix('-'))
        .is_some_and(|digits| digits.starts_with(|one: char| one.is_ascii_digit()))
}

/// Says `-5`, `-2l`, `-3kq` in today's words.
fn old_head(arguments: &[String]) -> Vec<String> {
    let Some((first, rest)) = arguments.split_first() else {
        return Vec::new();
    };
    let text = first.trim_start_matches('-');
    let digits = text.trim_end_matches(|one: char| !one.is_ascii_digit());
    let letters = text.get(digits.len()..).unwrap_or_default();
    let (mut option, mut unit) = ("-n", "");
    let mut words = Vec::new();
    for letter in letters.chars() {
        match letter {
            'c' => option = "-c",
            'l' => option = "-n",
            'b' => (option, unit) = ("-c", "b"),
            'k' => (option, unit) = ("-c", "K"),
            'm' => (option, unit) = ("-c", "M"),
            'q' => words.push("-q".to_owned()),
            'v' => words.push("-v".to_owned()),
            'z' => words.push("-z".to_owned()),
            // The utility says what is wrong with it.
            _ => return arguments.to_vec(),
        }
    }
    words.push(option.to_owned());
    words.push(format!("{digits}{unit}"));
    words.extend(rest.iter().cloned());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn checks_and_adapts() {
        assert!(USAGES.is_sorted_by_key(|usage| usage.name));
        let cases = [
            ("head", "-2lq f", Ok("-q -n 2 f")),
            ("head", "-3k", Ok("-c 3K")),
            ("nl", "-v -3 f", Ok("--starting-line-number=-3 f")),
            ("od", "-w f", Ok("-w32 f")),
            ("rm", "-f", Ok("-f")),
            ("rm", "-r", Err(1)),
            ("cat", "-Q", Err(1)),
            ("basename", "a b c", Err(1)),
            ("tty", "x", Err(2)),
            ("seq", "-5 x", Ok("-5 x")),
        ];
        for (name, line, expected) in cases {
            assert_eq!(
                check(name, &words(line)),
                expected.map(words),
                "{name} {line}"
            );
        }
    }
}

//! The functions that filters can call: ours in Rust and in jq's language, and those of jaq that do what jq's do.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use jaq_core::box_iter::box_once;
use jaq_core::load::parse::Def;
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{DataT, Exn, Lut, RunPtr, data};
use jaq_std::input::{self, HasInputs, Inputs};
use jiff::tz::TimeZone;

use crate::input::Source;
use crate::value::{Error, Val, ValR, split};
use crate::{access, moment, parse, pattern};

/// What a running filter sees of the program around it.
pub struct Kind;

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = &'a Data<'a>;
}

/// The inputs, beside the compiled filter.
pub struct Data<'a> {
    /// The table of the compiled filter.
    pub lut: &'a Lut<Kind>,
    /// The inputs that are left.
    pub inputs: Inputs<'a, Val>,
    /// Where they come from.
    pub source: &'a RefCell<Source>,
}

impl<'a> data::HasLut<'a, Kind> for &'a Data<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

impl<'a> HasInputs<'a, Val> for &'a Data<'a> {
    fn inputs(&self) -> Inputs<'a, Val> {
        self.inputs
    }
}

const DEFINITIONS: &str = include_str!("definitions.jq");

/// Returns the definitions in jq's language. Each sees those before it, and of two with one name the later one counts.
pub fn definitions() -> Vec<Def<&'static str>> {
    let natives: BTreeSet<_> = natives()
        .iter()
        .map(|(name, arity, _)| (*name, arity.len()))
        .collect();
    let parse = |text| jaq_core::load::parse(text, |parser| parser.defs()).unwrap_or_default();
    parse(EXTRA)
        .into_iter()
        .chain(jaq_core::defs())
        .chain(jaq_std::defs())
        .filter(|definition| !natives.contains(&(definition.name, definition.args.len())))
        .chain(parse(DEFINITIONS))
        .collect()
}

/// What jaq's definitions take from its own values.
const EXTRA: &str = "def null: [][0]; def debug: (debug_empty as $x | .), .; def stderr: (stderr_empty as $x | .), .; \
    def halt: halt(0); \
    def isboolean: type == \"boolean\"; def isnumber: type == \"number\"; def isstring: type == \"string\"; \
    def isarray: type == \"array\"; def isobject: type == \"object\"; def @json: tojson; \
    def index($i): indices($i) | .[0]; def isinfinite: . == infinite or . == -infinite; \
    def isnan: _isnan;";

/// Returns the functions in Rust.
pub fn functions() -> Vec<Fun<Kind>> {
    let own = natives();
    let names: BTreeSet<_> = own
        .iter()
        .map(|(name, arity, _)| (*name, arity.len()))
        .collect();
    let inputs = input::funs::<Kind>()
        .into_vec()
        .into_iter()
        .map(run::<Kind>);
    let others: Vec<_> = jaq_core::funs::<Kind>()
        .chain(jaq_std::base_funs::<Kind>())
        .chain(jaq_std::extra_funs::<Kind>())
        .chain(inputs)
        .filter(|(name, arity, _)| !names.contains(&(*name, arity.len())))
        .collect();
    own.into_vec()
        .into_iter()
        .map(run::<Kind>)
        .chain(others)
        .collect()
}

fn text_of<'v>(value: &'v Val, message: &str) -> Result<&'v str, Error> {
    match value {
        Val::Str(text) => Ok(text),
        _ => Err(Error::str(message)),
    }
}

fn length(value: &Val) -> ValR {
    Ok(match value {
        Val::Null => Val::Num(0.0),
        Val::Bool(_) => {
            return Err(Error::str(format_args!("{} has no length", value.shown())));
        }
        Val::Num(number) => Val::Num(number.abs()),
        Val::Str(text) => Val::from(text.chars().count()),
        Val::Arr(items) => Val::from(items.len()),
        Val::Obj(members) => Val::from(members.len()),
    })
}

fn keys(value: &Val) -> ValR {
    match value {
        Val::Obj(members) => Ok(Val::sorted(members)
            .into_iter()
            .map(|(key, _)| Val::Str(key.clone()))
            .collect()),
        Val::Arr(items) => Ok((0..items.len()).map(Val::from).collect()),
        value => Err(Error::str(format_args!("{} has no keys", value.shown()))),
    }
}

fn from_json(text: &str) -> ValR {
    if text == "nan" {
        return Ok(Val::Num(f64::NAN));
    }
    parse::whole(text.as_bytes())
        .map_err(|error| Error::str(format_args!("{error} (while parsing '{text}')")))
}

fn to_number(value: Val) -> ValR {
    match &value {
        Val::Num(_) => Ok(value),
        Val::Str(text) => match parse::number(text.as_bytes()) {
            Some(number) => Ok(Val::Num(number)),
            None => from_json(text),
        },
        _ => Err(Error::str(format_args!(
            "{} cannot be parsed as a number",
            value.shown()
        ))),
    }
}

fn items_of<'v>(value: &'v Val, what: &str) -> Result<&'v [Val], Error> {
    match value {
        Val::Arr(items) => Ok(items),
        value => Err(Error::str(format_args!(
            "{} cannot be {what}, as it is not an array",
            value.shown()
        ))),
    }
}

fn delete_paths(value: Val, paths: &Val) -> ValR {
    let mut paths = items_of(paths, "used as paths")?.to_vec();
    paths.sort();
    paths.into_iter().rev().try_fold(value, |value, path| {
        access::delete(value, items_of(&path, "used as a path")?)
    })
}

/// Returns where a value is in sorted items, or -1 less the place where it would go. What is found in items that are
/// not sorted depends on the steps, which are jq's.
fn search(items: &[Val], wanted: &Val) -> Val {
    let (mut from, mut to) = (0, items.len());
    while from < to {
        let middle = (from + to - 1) / 2;
        match items.get(middle).map(|item| item.cmp(wanted)) {
            Some(Ordering::Equal) => return Val::from(middle),
            Some(Ordering::Less) => from = middle + 1,
            _ => to = middle,
        }
    }
    Val::Num(-1.0 - from as f64)
}

/// Takes the two arguments of a call, the first one first.
fn two(cv: &mut jaq_core::Cv<'_, Kind>) -> (Val, Val) {
    let second = cv.0.pop_var();
    (cv.0.pop_var(), second)
}

fn natives() -> Box<[Filter<RunPtr<Kind>>]> {
    Box::new([
        ("length", v(0), |cv| bome(length(&cv.1))),
        ("keys", v(0), |cv| bome(keys(&cv.1))),
        ("keys_unsorted", v(0), |cv| {
            bome(match &cv.1 {
                Val::Obj(members) => Ok(members.keys().map(|key| Val::Str(key.clone())).collect()),
                value => keys(value),
            })
        }),
        ("type", v(0), |cv| bome(Ok(Val::text(cv.1.kind())))),
        ("has", v(1), |cv| {
            unary(cv, |value, key| access::has(&value, &key))
        }),
        ("contains", v(1), |cv| {
            unary(cv, |value, other| value.contains(&other).map(Val::from))
        }),
        ("indices", v(1), |cv| {
            unary(cv, |value, wanted| access::indices(&value, &wanted))
        }),
        ("tojson", v(0), |cv| bome(Ok(cv.1.to_string().into()))),
        ("fromjson", v(0), |cv| {
            bome(
                text_of(
                    &cv.1,
                    &format!("{} only strings can be parsed", cv.1.shown()),
                )
                .and_then(from_json),
            )
        }),
        ("tonumber", v(0), |cv| bome(to_number(cv.1))),
        ("sort", v(0), |cv| {
            bome(items_of(&cv.1, "sorted").map(|items| {
                let mut items = items.to_vec();
                items.sort();
                Val::array(items)
            }))
        }),
        ("reverse", v(0), |cv| {
            bome(match &cv.1 {
                Val::Null => Ok(Val::array(Vec::new())),
                Val::Str(text) if text.is_empty() => Ok(Val::array(Vec::new())),
                value => {
                    items_of(value, "reversed").map(|items| items.iter().rev().cloned().collect())
                }
            })
        }),
        ("bsearch", v(1), |cv| {
            unary(cv, |value, wanted| {
                let items = items_of(&value, "searched from")?;
                Ok(search(items, &wanted))
            })
        }),
        ("split", v(1), |cv| {
            unary(cv, |value, separator| {
                let message = "split input and separator must be strings";
                Ok(split(
                    text_of(&value, message)?,
                    text_of(&separator, message)?,
                ))
            })
        }),
        ("startswith", v(1), |cv| {
            unary(cv, |value, part| {
                let message = "startswith() requires string inputs";
                Ok(text_of(&value, message)?
                    .starts_with(text_of(&part, message)?)
                    .into())
            })
        }),
        ("endswith", v(1), |cv| {
            unary(cv, |value, part| {
                let message = "endswith() requires string inputs";
                Ok(text_of(&value, message)?
                    .ends_with(text_of(&part, message)?)
                    .into())
            })
        }),
        ("ltrimstr", v(1), |cv| {
            unary(cv, |value, part| {
                Ok(match (&value, &part) {
                    (Val::Str(text), Val::Str(part)) => {
                        text.strip_prefix(&**part).map_or(value.clone(), Val::text)
                    }
                    _ => value,
                })
            })
        }),
        ("rtrimstr", v(1), |cv| {
            unary(cv, |value, part| {
                Ok(match (&value, &part) {
                    (Val::Str(text), Val::Str(part)) => {
                        text.strip_suffix(&**part).map_or(value.clone(), Val::text)
                    }
                    _ => value,
                })
            })
        }),
        ("_delete_paths", v(1), |cv| {
            unary(cv, |value, paths| delete_paths(value, &paths))
        }),
        ("infinite", v(0), |_| bome(Ok(Val::Num(f64::INFINITY)))),
        ("nan", v(0), |_| bome(Ok(Val::Num(f64::NAN)))),
        ("_isnan", v(0), |cv| {
            bome(Ok(
                matches!(cv.1, Val::Num(number) if number.is_nan()).into()
            ))
        }),
        ("input_filename", v(0), |cv| {
            bome(Ok(cv.0.data().source.borrow().file_name()))
        }),
        ("input_line_number", v(0), |cv| {
            bome(Ok(Val::from(cv.0.data().source.borrow().line())))
        }),
        ("debug_empty", v(0), |cv| {
            eprintln!("[\"DEBUG:\",{}]", cv.1);
            Box::new(std::iter::empty())
        }),
        ("stderr_empty", v(0), |cv| {
            eprint!("{}", cv.1);
            Box::new(std::iter::empty())
        }),
        ("input", v(0), |cv| {
            let mut inputs = cv.0.data().inputs;
            bome(match inputs.next() {
                Some(value) => value.map_err(Error::str),
                None => Err(Error::str("break")),
            })
        }),
        ("matches", v(2), |mut cv| {
            let (pattern, flags) = two(&mut cv);
            bome(pattern::run(&cv.1, &pattern, &flags, false, true))
        }),
        ("split_matches", v(2), |mut cv| {
            let (pattern, flags) = two(&mut cv);
            bome(pattern::run(&cv.1, &pattern, &flags, true, true))
        }),
        ("split_", v(2), |mut cv| {
            let (pattern, flags) = two(&mut cv);
            bome(pattern::run(&cv.1, &pattern, &flags, true, false))
        }),
        ("gmtime", v(0), |cv| {
            bome(moment::gmtime(&cv.1, TimeZone::UTC))
        }),
        ("localtime", v(0), |cv| {
            bome(moment::gmtime(&cv.1, TimeZone::system()))
        }),
        ("mktime", v(0), |cv| bome(moment::mktime(&cv.1))),
        ("strptime", v(1), |cv| {
            unary(cv, |value, format| moment::strptime(&value, &format))
        }),
        ("halt_error", v(1), |mut cv| {
            let Val::Num(status) = cv.0.pop_var() else {
                return bome(Err(Error::str(format_args!(
                    "{} halt_error/1: number required",
                    cv.1.shown()
                ))));
            };
            match &cv.1 {
                Val::Str(text) => eprint!("{text}"),
                Val::Null => {}
                value => eprintln!("{value}"),
            }
            box_once(Err(Exn::halt(status as i32)))
        }),
    ])
}

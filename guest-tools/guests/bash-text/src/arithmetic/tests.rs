//! Tables of expressions, with what bash 5.2 answers.

use std::collections::BTreeMap;

use super::*;

#[derive(Default)]
struct Scalars(BTreeMap<Vec<u8>, Vec<u8>>);

impl Variables for Scalars {
    type Error = ();

    fn is_associative(&mut self, _: &[u8]) -> bool {
        false
    }

    fn get(&mut self, name: &[u8], subscript: Subscript<'_>) -> Result<Value<'_>, ()> {
        let key = key(name, subscript);
        Ok(self.0.get(&key).map_or(Value::Unset, |text| {
            Value::Text(Cow::Borrowed(text.as_slice()))
        }))
    }

    fn expand(&mut self, _: &[u8]) -> Result<Option<BString>, Self::Error> {
        Ok(None)
    }

    fn set(&mut self, name: &[u8], subscript: Subscript<'_>, value: i64) -> Result<(), ()> {
        self.0
            .insert(key(name, subscript), value.to_string().into_bytes());
        Ok(())
    }
}

fn key(name: &[u8], subscript: Subscript<'_>) -> Vec<u8> {
    format!("{} {subscript:?}", BString::from(name)).into_bytes()
}

fn answer(text: &str) -> String {
    let mut variables = Scalars::default();
    for (name, value) in [
        ("one", "1"),
        ("sum", "one + 1"),
        ("loop", "loop"),
        ("bad", "1/0"),
    ] {
        variables
            .0
            .insert(key(name.as_bytes(), Subscript::None), value.into());
    }
    match evaluate(text.as_bytes(), &mut variables) {
        Ok(value) => value.to_string(),
        Err(Error::Expression(error)) => error.to_string(),
        Err(Error::Variables(())) => "refused".to_owned(),
    }
}

#[test]
fn values() {
    for (text, expected) in [
        ("", "0"),
        (" 1 + 2 * 3 ", "7"),
        ("-2 ** 2", "4"),
        ("2 ** 3 ** 2", "512"),
        ("9223372036854775807 + 1", "-9223372036854775808"),
        ("-9223372036854775808 / -1", "-9223372036854775808"),
        ("-9223372036854775808 % -1", "0"),
        ("0x1F + 017 + 2#101 + 64#_", "114"),
        ("1 << 65", "2"),
        ("sum * 2", "4"),
        ("x = 5, x += 2, x++ + ++x", "16"),
        ("0 && (y = 1), y", "0"),
        ("1 ? 2 : 3 ? 4 : 5", "2"),
        ("a[1 + 1] = 7, a[2]", "7"),
        ("i = 0, a[i++] += 3, i", "1"),
        ("!5 + ~0", "-1"),
        ("- - 5", "5"),
        ("++7", "7"),
    ] {
        assert_eq!(answer(text), expected, "{text}");
    }
}

#[test]
fn messages() {
    for (text, expected) in [
        ("1/0", "1/0: division by 0 (error token is \"0\")"),
        (
            "1 + ",
            "1 + : syntax error: operand expected (error token is \"+ \")",
        ),
        ("08", "08: value too great for base (error token is \"08\")"),
        (
            "2 ** -1",
            "2 ** -1: exponent less than 0 (error token is \"1\")",
        ),
        (
            "1 2",
            "1 2: syntax error in expression (error token is \"2\")",
        ),
        (
            "5 = 3",
            "5 = 3: attempted assignment to non-variable (error token is \"= 3\")",
        ),
        ("(1", "(1: missing `)' (error token is \"1\")"),
        (
            "1 @",
            "1 @: syntax error: invalid arithmetic operator (error token is \"@\")",
        ),
        ("bad + 1", "1/0: division by 0 (error token is \"0\")"),
        (
            "loop",
            "loop: expression recursion level exceeded (error token is \"loop\")",
        ),
    ] {
        assert_eq!(answer(text), expected, "{text}");
    }
}

#[test]
fn long_chains_end() {
    assert_eq!(answer(&vec!["1"; 200_000].join("+")), "200000");
    assert!(answer(&"(".repeat(100_000)).contains("recursion level"));
    assert!(answer(&"-".repeat(100_001)).contains("recursion level"));
    assert!(answer(&"a[".repeat(2000)).contains("bad array subscript"));
}

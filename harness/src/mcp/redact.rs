//! Taking secrets out of what a server answers, before anybody else sees it.
//!
//! A server knows the token that it was sent, and may say it again, by mistake or to have it in the log. Strings of JSON
//! are looked at after their escapes are resolved. Whoever wants to hide a token that he knows finds a form that is not
//! looked for; against him only another token helps.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::egress::forms_of_secret;
use crate::secrets::Secret;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// The forms of the secrets that went to a server, the longest first.
#[derive(Default)]
pub struct Redactor {
    forms: Vec<Zeroizing<String>>,
}

impl Redactor {
    /// Looks for this secret too, in the forms of [`forms_of_secret`]. Returns whether it is new.
    pub fn add(&mut self, secret: &Secret) -> bool {
        let Some(text) = secret.expose_text() else {
            return false;
        };
        if self.forms.iter().any(|form| ***form == *text) {
            return false;
        }
        let before = self.forms.len();
        for form in forms_of_secret(secret.expose()) {
            if let Ok(form) = std::str::from_utf8(&form)
                && !self.forms.iter().any(|known| ***known == *form)
            {
                self.forms.push(Zeroizing::new(form.to_owned()));
            }
        }
        // What is a part of another form must not be taken out of it first.
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        self.forms.len() > before
    }

    /// Returns the text without secrets.
    pub fn text(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_owned(), |text, form| {
            match text.contains(form.as_str()) {
                true => text.replace(form.as_str(), REDACTED),
                false => text,
            }
        })
    }

    /// Takes the secrets out of every string of a value, names of fields included.
    pub fn value(&self, value: &mut Value) {
        if self.forms.is_empty() {
            return;
        }
        match value {
            Value::String(text) => {
                if self.is_in(text) {
                    *text = self.text(text);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(fields) => {
                if fields.keys().any(|name| self.is_in(name)) {
                    let old = std::mem::take(fields);
                    fields.extend(
                        old.into_iter()
                            .map(|(name, value)| (self.text(&name), value)),
                    );
                }
                fields.values_mut().for_each(|value| self.value(value));
            }
            Value::Number(number) => {
                if self.is_in(&number.to_string()) {
                    *value = Value::from(REDACTED);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Takes the secrets out of a JSON text; of one that is none as out of any text.
    pub fn json(&self, text: &str) -> String {
        if self.forms.is_empty() {
            return text.to_owned();
        }
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                self.value(&mut value);
                value.to_string()
            }
            Err(_) => self.text(text),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        self.forms.iter().any(|form| text.contains(form.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form_and_nothing_else_is_touched() {
        let mut redactor = Redactor::default();
        let secret = Secret::from_text("tok-\"3f9d1c7e\"-never-seen".to_owned());
        assert!(redactor.add(&secret));
        assert!(!redactor.add(&secret), "once is enough");
        let token = "tok-\"3f9d1c7e\"-never-seen";
        let echo = serde_json::json!({
            "text": format!("you sent Bearer {token}."),
            token: [1, null, {"deep": token}],
            "encoded": STANDARD.encode(format!("ab{token}cd")),
            "other": "tok-never",
        });
        // The escape of the first letter hides it from whoever looks at the bytes alone.
        let text = echo.to_string().replace("tok-\\\"3f", "\\u0074ok-\\\"3f");
        let clean = redactor.json(&text);
        assert!(!clean.contains("never-seen"), "{clean}");
        let inner = &STANDARD.encode(format!("ab{token}cd"))[8..20];
        assert!(!clean.contains(inner), "{clean}");
        assert!(clean.contains("\"other\":\"tok-never\""), "{clean}");
        assert_eq!(redactor.text(&format!("plain {token}")), "plain [redacted]");
        let form = "a=b&token=tok-%223f9d1c7e%22-never-seen&c=d";
        assert_eq!(redactor.text(form), "a=b&token=[redacted]&c=d");
        assert_eq!(Redactor::default().json("{\"a\" :1}"), "{\"a\" :1}");
        let mut digits = Redactor::default();
        digits.add(&Secret::from_text("8417305".to_owned()));
        assert_eq!(digits.json("{\"id\":8417305}"), "{\"id\":\"[redacted]\"}");
        let mut short = Redactor::default();
        assert!(!short.add(&Secret::from_text("abc".to_owned())));
    }
}

//! `-w`.

use super::transfer::Outcome;

/// Returns what the format makes of a transfer, and whether it goes to standard error.
pub(super) fn text(format: &str, outcome: &Outcome) -> (String, String) {
    let (mut stdout, mut stderr, mut is_stderr) = (String::new(), String::new(), false);
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let out = if is_stderr { &mut stderr } else { &mut stdout };
        match c {
            '\\' => {
                let next = rest.chars().next().unwrap_or('\\');
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
                match next {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    '\\' => out.push('\\'),
                    other => {
                        out.push('\\');
                        out.push(other);
                    }
                }
            }
            '%' if rest.starts_with('%') => {
                out.push('%');
                rest = rest.get(1..).unwrap_or_default();
            }
            '%' if rest.starts_with('{') => {
                let Some((name, after)) = rest.get(1..).and_then(|rest| rest.split_once('}'))
                else {
                    out.push('%');
                    continue;
                };
                rest = after;
                match name {
                    "stderr" => is_stderr = true,
                    "stdout" => is_stderr = false,
                    "onerror" if outcome.status == 0 => return (stdout, stderr),
                    name => out.push_str(&variable(name, outcome)),
                }
            }
            '%' if rest.starts_with("header{") => {
                let Some((name, after)) = rest.get(7..).and_then(|rest| rest.split_once('}'))
                else {
                    out.push('%');
                    continue;
                };
                rest = after;
                out.push_str(&outcome.headers.get(name).unwrap_or_default());
            }
            other => out.push(other),
        }
    }
    (stdout, stderr)
}

fn variable(name: &str, outcome: &Outcome) -> String {
    let seconds = |time: std::time::Duration| format!("{:.6}", time.as_secs_f64());
    match name {
        "http_code" | "response_code" => format!("{:03}", outcome.code),
        "size_download" => outcome.downloaded.to_string(),
        "size_upload" => outcome.uploaded.to_string(),
        "size_header" => outcome.header_bytes.to_string(),
        "size_request" => "0".to_owned(),
        "speed_download" | "speed_upload" => {
            let bytes = match name {
                "speed_download" => outcome.downloaded,
                _ => outcome.uploaded,
            };
            format!(
                "{:.0}",
                bytes as f64 / outcome.total.as_secs_f64().max(1e-6)
            )
        }
        "time_total" => seconds(outcome.total),
        "time_starttransfer" => seconds(outcome.first_byte),
        "time_namelookup" | "time_connect" | "time_appconnect" | "time_pretransfer"
        | "time_redirect" => seconds(std::time::Duration::ZERO),
        "url_effective" => outcome.effective.clone(),
        "url" => outcome.url.clone(),
        "content_type" => outcome.headers.get("content-type").unwrap_or_default(),
        "num_redirects" => outcome.redirects.to_string(),
        "num_headers" => outcome.headers.0.len().to_string(),
        "num_connects" => "1".to_owned(),
        "num_retries" => outcome.retries.to_string(),
        "redirect_url" => outcome.redirect_url.clone().unwrap_or_default(),
        "method" => outcome.method.clone(),
        "scheme" => outcome
            .effective
            .split("://")
            .next()
            .unwrap_or_default()
            .to_owned(),
        "http_version" => "1.1".to_owned(),
        "exitcode" => outcome.status.to_string(),
        "errormsg" => outcome.message.clone().unwrap_or_default(),
        "filename_effective" => outcome.file.clone().unwrap_or_default(),
        "ssl_verify_result" | "http_connect" | "urlnum" => "0".to_owned(),
        "header_json" => {
            let names = outcome
                .headers
                .0
                .iter()
                .map(|(name, _)| name.to_ascii_lowercase());
            let mut names: Vec<String> = names.collect();
            names.sort();
            names.dedup();
            let fields: Vec<String> = names
                .iter()
                .map(|name| {
                    let values: Vec<String> = outcome
                        .headers
                        .all(name)
                        .map(|value| json(&value))
                        .collect();
                    format!("{}:[{}]", json(name), values.join(","))
                })
                .collect();
            format!("{{{}}}", fields.join(",\n"))
        }
        "json" => {
            let names = [
                "content_type",
                "errormsg",
                "filename_effective",
                "method",
                "redirect_url",
                "scheme",
                "url",
                "url_effective",
            ];
            let numbers = [
                "exitcode",
                "http_code",
                "num_redirects",
                "response_code",
                "size_download",
                "size_header",
                "size_upload",
                "time_total",
            ];
            let texts = names
                .iter()
                .map(|name| format!("{}:{}", json(name), json(&variable(name, outcome))));
            let numbers = numbers.iter().map(|name| {
                let value = variable(name, outcome);
                let value = value.trim_start_matches('0');
                let value = if value.is_empty() || value.starts_with('.') {
                    format!("0{value}")
                } else {
                    value.to_owned()
                };
                format!("{}:{value}", json(name))
            });
            format!("{{{}}}", texts.chain(numbers).collect::<Vec<_>>().join(","))
        }
        _ => String::new(),
    }
}

fn json(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let mut outcome = Outcome {
            code: 204,
            ..Outcome::default()
        };
        outcome.headers.add("X-A", "1\"");
        for (format, expected) in [
            ("%{http_code}\\n", "204\n"),
            (
                "%{response_code} 100%% %{nothing}%header{x-a}",
                "204 100% 1\"",
            ),
            ("a%{stderr}b%{stdout}c", "ac"),
            ("%{header_json}", "{\"x-a\":[\"1\\\"\"]}"),
            ("a%{onerror}b", "a"),
            ("%{", "%{"),
        ] {
            assert_eq!(text(format, &outcome).0, expected, "{format}");
        }
    }
}

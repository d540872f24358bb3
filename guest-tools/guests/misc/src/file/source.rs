//! What text without `#!` is about: rules in the order of their strength, each a few patterns that must all be there.

use regex::bytes::Regex;

use super::text::{Ending, Topic};

/// How much of a text the rules look at.
const BYTES_MAX: usize = 8192;

struct Rule {
    patterns: &'static [&'static str],
    words: &'static str,
    mime: &'static str,
    ending: Ending,
}

const fn rule(
    patterns: &'static [&'static str],
    words: &'static str,
    mime: &'static str,
    ending: Ending,
) -> Rule {
    Rule {
        patterns,
        words,
        mime,
        ending,
    }
}

/// Returns what a text is about. Patterns are compiled as they are needed: most texts fit an early rule or none,
/// and a program looks at few.
pub(super) fn find(bytes: &[u8]) -> Option<Topic> {
    let head = bytes.get(..BYTES_MAX).unwrap_or(bytes);
    let rule = RULES.iter().find(|rule| {
        rule.patterns.iter().all(|pattern| {
            Regex::new(&format!("(?m-u){pattern}")).is_ok_and(|regex| regex.is_match(head))
        })
    })?;
    let words = match rule.words {
        "XML" => format!("XML {} document", xml_version(head)),
        "vCard visiting card" => vcard(head),
        "PostScript document text" => post_script(head),
        "uuencoded" => uuencoded(head),
        words => words.to_owned(),
    };
    Some(Topic {
        words,
        mime: rule.mime,
        ending: rule.ending,
    })
}

fn line(head: &[u8], nth: usize) -> String {
    let line = head.split(|byte| *byte == b'\n').nth(nth).unwrap_or(b"");
    String::from_utf8_lossy(line).trim_end().to_owned()
}

fn xml_version(head: &[u8]) -> String {
    let first = String::from_utf8_lossy(head.get(..40).unwrap_or(head)).into_owned();
    let quoted = first.split(['"', '\'']).nth(1).unwrap_or("1.0");
    quoted.to_owned()
}

fn vcard(head: &[u8]) -> String {
    let second = line(head, 1);
    let version = second.strip_prefix("VERSION:").unwrap_or("").to_owned();
    if head.windows(2).any(|pair| pair == b"\r\n") {
        format!("vCard visiting card, version {version}")
    } else {
        format!(
            "vCard visiting card, version {version}, 2nd line does not start with VERSION:, \
             lines not separated by CRLF"
        )
    }
}

fn post_script(head: &[u8]) -> String {
    match line(head, 0).split_once("Adobe-") {
        Some((_, level)) => format!("PostScript document text conforming DSC level {level}"),
        None => "PostScript document text".to_owned(),
    }
}

fn uuencoded(head: &[u8]) -> String {
    let name = line(head, 0).split(' ').nth(2).unwrap_or("").to_owned();
    format!("uuencoded or xxencoded text, file name \"{name}\"")
}

const JAVASCRIPT: &str = "application/javascript";
const PYTHON: &str = "text/x-script.python";
const C: &str = "text/x-c";
const CPP: &str = "text/x-c++";
const RUBY: &str = "text/x-ruby";
const TEX: &str = "text/x-tex";
const DIFF: &str = "text/x-diff";
const HTML: &str = "text/html";
const PLAIN: &str = "text/plain";
const LISP: &str = "text/x-lisp";
const ASSEMBLER: &str = "text/x-asm";
const TROFF: &str = "text/troff";
const BIBTEX: &str = r"(?i)@(article|inproceedings|incollection|unpublished|techreport|phdthesis|inbook|manual|book|misc)\{";

/// The end of a block in Ruby.
const END: &str = r"^\s*end(\s+[;#].*)?$";

/// In the order of their strength.
const RULES: &[Rule] = &[
    rule(
        &[r"\A-----BEGIN OPENSSH PRIVATE KEY-----"],
        "OpenSSH private key",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN PGP SIGNED MESSAGE-"],
        "PGP signed message",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN CERTIFICATE-----"],
        "PEM certificate",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN CERTIFICATE REQ"],
        "PEM certificate request",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN PGP SIGNATURE-"],
        "PGP signature",
        "application/pgp-signature",
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN PGP PUBLIC KEY BLOCK-"],
        "PGP public key block",
        "application/pgp-keys",
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN PGP MESSAGE-"],
        "PGP message",
        "application/pgp-encrypted",
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN ECDSA PRIVATE"],
        "PEM ECDSA private key",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN RSA PRIVATE"],
        "PEM RSA private key",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN DSA PRIVATE"],
        "PEM DSA private key",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A-----BEGIN EC PRIVATE"],
        "PEM EC private key",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A# v2 git bundle\n"],
        "Git bundle",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\ABEGIN:VCALENDAR"],
        "vCalendar calendar file",
        "text/calendar",
        Ending::Nothing,
    ),
    rule(
        &[r"\A(?i)begin:vcard"],
        "vCard visiting card",
        "text/vcard",
        Ending::Nothing,
    ),
    rule(
        &[r"\Assh-ed25519"],
        "OpenSSH ED25519 public key",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\Assh-rsa "],
        "OpenSSH RSA public key",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\Assh-dss "],
        "OpenSSH DSA public key",
        PLAIN,
        Ending::Nothing,
    ),
    rule(
        &[r"\A%!PS"],
        "PostScript document text",
        "application/postscript",
        Ending::Nothing,
    ),
    rule(
        &[r"\A\{\\rtf1\\ansi"],
        "Rich Text Format data, version 1, ANSI",
        "text/rtf",
        Ending::Nothing,
    ),
    rule(
        &[r"\A\{\\rtf"],
        "Rich Text Format data, version 1",
        "text/rtf",
        Ending::Nothing,
    ),
    rule(
        &[r"\A\s*<\?xml version=[^<]*(<!--[^<]*)*<svg"],
        "SVG Scalable Vector Graphics image",
        "image/svg+xml",
        Ending::Nothing,
    ),
    rule(
        &[r"\A<svg"],
        "SVG Scalable Vector Graphics image",
        "image/svg+xml",
        Ending::Nothing,
    ),
    rule(
        &[r#"\A<\?xml version=["'](\s|[^<])*(?i)<!doctype html"#],
        "XHTML document",
        HTML,
        Ending::Text,
    ),
    rule(
        &[r#"\A<\?xml version=["'][^<]*(?i)<html"#],
        "broken XHTML document",
        HTML,
        Ending::Text,
    ),
    rule(
        &[r#"\A<\?xml version=["']"#],
        "XML",
        "text/xml",
        Ending::Text,
    ),
    rule(
        &[r"\A\s*(?i)<!doctype html"],
        "HTML document",
        HTML,
        Ending::Text,
    ),
    rule(
        &[r"^export (function|class|default|const|var|let|async) "],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(
        &[r"^(const|var|let).*=.*require\("],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(
        &[r"^(import|export).* from "],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(
        &[r#"module(\.|\[["'])exports.*="#],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(
        &[r"\A\s*From:[^\n]*\n([^\n]+\n)*Subject:", r"\AFrom:"],
        "news or mail",
        "message/rfc822",
        Ending::Text,
    ),
    rule(
        &[r"\A(From|Date):"],
        "news or mail",
        "message/rfc822",
        Ending::Text,
    ),
    rule(
        &[r"\A(Received|Return-Path):"],
        "RFC 822 mail",
        "message/rfc822",
        Ending::Text,
    ),
    rule(
        &[r"^(modul|includ)e [A-Z]|def [a-z]", END],
        "Ruby script",
        RUBY,
        Ending::Text,
    ),
    rule(
        &[r#"^(import|export) ["']\./"#],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(
        &[r"\((async )?function[( ]"],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(
        &[
            r"^package[ \t]+[0-9A-Za-z_:]+ *;",
            r"^1 *;|^(use|sub|my) .*[(;{=]",
        ],
        "Perl5 module source",
        PLAIN,
        Ending::Text,
    ),
    rule(
        &[r#"\A("use strict"|'use strict')"#],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(&[r"\Adiff "], "diff output", DIFF, Ending::Text),
    rule(
        &[r"\A--- [^\n]*\n\+\+\+ [^\n]*\n@@"],
        "unified diff output",
        DIFF,
        Ending::Text,
    ),
    rule(
        &[r"\A1\s0[01]:[0-9]{2}:[0-9]{2},[0-9]{3} -->"],
        "SubRip",
        "application/x-subrip",
        Ending::Text,
    ),
    rule(
        &[r"^using\s+(namespace )?std(::)?[[:alpha:]]*\s*;"],
        "C++ source",
        CPP,
        Ending::Text,
    ),
    rule(
        &[r"^namespace\s+[_[:alpha:]]{1,30}\s*\{"],
        "C++ source",
        CPP,
        Ending::Text,
    ),
    rule(&[r"^\s*protected:"], "C++ source", CPP, Ending::Text),
    rule(&[r"<\?php"], "PHP script", "text/x-php", Ending::Text),
    rule(
        &[r"^\s*template\s*<.*>\s*$"],
        "C++ source",
        CPP,
        Ending::Text,
    ),
    rule(
        &[r#"^require\(["']"#],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(
        &[r"typeof.*[!=]=="],
        "JavaScript source",
        JAVASCRIPT,
        Ending::Text,
    ),
    rule(
        &[r"^\s*virtual\s+.*[};]\s*$"],
        "C++ source",
        CPP,
        Ending::Text,
    ),
    rule(&[r"^\s*private:"], "C++ source", CPP, Ending::Text),
    rule(&[r"def [a-z]| do$", END], "Ruby script", RUBY, Ending::Text),
    rule(&[r"^\s*public:"], "C++ source", CPP, Ending::Text),
    rule(
        &[r#"^#import\s+["<]"#],
        "Objective-C source",
        "text/x-objective-c",
        Ending::Text,
    ),
    rule(&[r#"\A""""#], "Python script", PLAIN, Ending::Executable),
    rule(
        &[r"^\s*(class|module)\s[A-Z]", END],
        "Ruby script",
        RUBY,
        Ending::Text,
    ),
    rule(
        &[r"\\documentclass"],
        "LaTeX 2e document",
        TEX,
        Ending::Text,
    ),
    rule(
        &[r"def __init__", "self"],
        "Python script",
        PYTHON,
        Ending::Executable,
    ),
    rule(
        &[r#"if __name__[^\n]*["']__main__["']"#],
        "Python script",
        PYTHON,
        Ending::Executable,
    ),
    rule(
        &[r"^class [_[:alpha:]]+(\(.*\))?( )*:([ \t]+pass)?$"],
        "Python script",
        PYTHON,
        Ending::Executable,
    ),
    rule(
        &[r"\\(section|chapter)"],
        "LaTeX document",
        TEX,
        Ending::Text,
    ),
    rule(
        &[r"\A\s*(?i)<\?xml"],
        "XML document",
        "text/xml",
        Ending::Text,
    ),
    rule(
        &[r"^\s*class\s+[[:digit:][:alpha:]:_]+\s*\{(.*\n)*.*\}(;)?$"],
        "C++ source",
        CPP,
        Ending::Text,
    ),
    rule(
        &[r"^AC_DEFUN\(\["],
        "M4 macro processor script",
        "text/x-m4",
        Ending::Text,
    ),
    rule(
        &[r"try:", r"^\s*except.*:$|finally:"],
        "Python script",
        PYTHON,
        Ending::Executable,
    ),
    rule(
        &[r"^\s{0,50}def {1,50}[_a-zA-Z]{1,100}[0-9_a-zA-Z]*\(([[:alpha:]*_, ]){0,255}\):$"],
        "Python script",
        PYTHON,
        Ending::Executable,
    ),
    rule(
        &[r"\A(?i)\s*(<script>|<script |<a href=)"],
        "HTML document",
        HTML,
        Ending::Text,
    ),
    rule(
        &[r"^#include", r"^class\s+"],
        "C++ source",
        CPP,
        Ending::Text,
    ),
    rule(&[r"^#include"], "C source", C, Ending::Text),
    rule(
        &[r"^(CFLAGS|VPATH|LDFLAGS|all:|\.PRECIOUS)"],
        "makefile script",
        "text/x-makefile",
        Ending::Text,
    ),
    rule(
        &[r"^from[ \t]+([A-Za-z0-9_]|\.)+[ \t]+import.*$"],
        "Python script",
        PYTHON,
        Ending::Executable,
    ),
    rule(
        &[r"(?i)<(title|style|table)[ >]"],
        "HTML document",
        HTML,
        Ending::Text,
    ),
    rule(&[r"\\begin"], "LaTeX document", TEX, Ending::Text),
    rule(
        &[r"(?i)<(head|html)[ >]"],
        "HTML document",
        HTML,
        Ending::Text,
    ),
    rule(
        &[r"^\s*def [a-z]|def [[:alpha:]]+::[a-z]", END],
        "Ruby script",
        RUBY,
        Ending::Text,
    ),
    rule(&[BIBTEX], "BibTeX text file", PLAIN, Ending::Text),
    rule(
        &[r"\A(?i)@?echo off|\A(?i)rem "],
        "DOS batch file",
        "text/x-msdos-batch",
        Ending::Text,
    ),
    rule(
        &[r"^\.(BEGIN|endif|include)"],
        "BSD makefile script",
        "text/x-makefile",
        Ending::Text,
    ),
    rule(
        &[r"^#\s*(if|ifn)def", r"^#\s*endif$"],
        "C source",
        C,
        Ending::Text,
    ),
    rule(
        &[r"^\s*float( \*|\*)(.+)(=.*)?;\s*$"],
        "C source",
        C,
        Ending::Text,
    ),
    rule(&[r"^union\s+"], "C source", C, Ending::Text),
    rule(
        &[r"main\([^\n]*String"],
        "Java source",
        "text/x-java",
        Ending::Text,
    ),
    rule(&[r"main\([^\n]*\)\s*\{"], "C source", C, Ending::Text),
    rule(
        &[r"\A\((custom-set-variables|defparam|autoload) "],
        "Lisp/Scheme program",
        LISP,
        Ending::Text,
    ),
    rule(
        &[r"^dnl "],
        "M4 macro processor script",
        "text/x-m4",
        Ending::Text,
    ),
    rule(
        &[r"\A=(pod|encoding )"],
        "Perl POD document",
        PLAIN,
        Ending::Text,
    ),
    rule(
        &[r"^\s*char( \*|\*)(.+)(=.*)?;\s*$"],
        "C source",
        C,
        Ending::Text,
    ),
    rule(
        &[r"\A\*\*\* [^\n]*\n--- "],
        "context diff output",
        DIFF,
        Ending::Text,
    ),
    rule(
        &[r#"\A\.\\"|\A'\\""#],
        "troff or preprocessor input",
        TROFF,
        Ending::Text,
    ),
    rule(
        &[r"\A\.[A-Za-z][A-Za-z0-9]$"],
        "troff or preprocessor input",
        TROFF,
        Ending::Text,
    ),
    rule(&[r"\Abegin [0-7]{3} "], "uuencoded", PLAIN, Ending::Text),
    rule(
        &[r"^\(ns\s+\^\{:|^\(defn-?\s"],
        "Clojure module source",
        "text/x-clojure",
        Ending::Text,
    ),
    rule(
        &[r"\A[ \t\r\n]{0,100}BEGIN[ \t\r\n]{0,100}[{]"],
        "awk or perl script",
        PLAIN,
        Ending::Text,
    ),
    rule(&[r"\AOnly in "], "diff output", DIFF, Ending::Text),
    rule(&[r"\(defvar "], "Lisp/Scheme program", LISP, Ending::Text),
    rule(
        &[r"^\s*require\s'[A-Za-z_/.]+'"],
        "Ruby script",
        RUBY,
        Ending::Text,
    ),
    rule(
        &[r"\A\.[A-Za-z][A-Za-z0-9][ \t]"],
        "troff or preprocessor input",
        TROFF,
        Ending::Text,
    ),
    rule(
        &[r"^[ \t]{0,50}\.globl"],
        "assembler source",
        ASSEMBLER,
        Ending::Text,
    ),
    rule(&[r"\A#EXTM3U"], "M3U playlist", PLAIN, Ending::Text),
    rule(&[r"^#\s*pragma"], "C source", C, Ending::Text),
    rule(
        &[r"^#\s*(if|ifn)def", r"^#\s*define"],
        "C source",
        C,
        Ending::Text,
    ),
    rule(
        &[r"^\s*double( \*|\*)(.+)(=.*)?;\s*$"],
        "C source",
        C,
        Ending::Text,
    ),
    rule(&[r"^\s*extern\s+"], "C source", C, Ending::Text),
    rule(&[r"^struct\s+"], "C source", C, Ending::Text),
    rule(
        &[r"^import.*;$"],
        "Java source",
        "text/x-java",
        Ending::Text,
    ),
    rule(&[r"\(defun "], "Lisp/Scheme program", LISP, Ending::Text),
    rule(&[r"\A=head[12] "], "Perl POD document", PLAIN, Ending::Text),
    rule(
        &[r"^import [_[:alpha:]]+ as [[:alpha:]]\s*$"],
        "Python script",
        PYTHON,
        Ending::Executable,
    ),
    rule(
        &[r"^[ \t]{0,50}\.(byte|even|text|file|type)"],
        "assembler source",
        ASSEMBLER,
        Ending::Text,
    ),
    rule(&[r"\AIndex:"], "RCS/CVS diff output", DIFF, Ending::Text),
    rule(&[r"\(setq "], "Lisp/Scheme program", LISP, Ending::Text),
    rule(
        &[r"(?i)<!doctype html"],
        "HTML document",
        HTML,
        Ending::Text,
    ),
];

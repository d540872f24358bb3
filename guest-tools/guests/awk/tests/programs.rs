//! Whole programs: arguments and input, with output and exit status as gawk 5.2 gave them in the locale C.UTF-8.

#![allow(clippy::expect_used, reason = "a test may fail")]

use std::io::Write;
use std::process::{Command, Stdio};

/// Arguments, input, expected output, expected status.
type Case = (&'static [&'static str], &'static str, &'static str, i32);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (&["{ print $2, NF }"], "a b c\n\n  x\ty \n", "b 3\n 0\ny 2\n", 0),
    (&["{ n += NF } END { print n }"], "a b c\nd e f g h i j k l m n\n", "14\n", 0),
    (&["BEGIN { print -2^2, 2^3^2, 1 \" \" -1, !x + 1, 1 - -1, 2**-1, 7 % -3, -7 % 3 }"], "", "-4 512 1-1 2 2 0.5 1 -1\n", 0),
    (&["BEGIN { print 1e6, 1e300 > 1, 0.1 + 0.2, 100000 * 100000, 2^53, 1e-5, 3.0, -0, 17 / 4 }"], "", "", 1),
    (&["BEGIN { print substr(\"hello\", 0, 2), substr(\"hello\", -1), substr(\"hello\", 2, 3), substr(\"héllo\", 2, 1) \"|\" substr(\"x\", 5) \"|\" }"], "", "he hello ell é||\n", 0),
    (&["BEGIN { print length(\"é\"), index(\"aéb\", \"b\"), toupper(\"aé\"), tolower(\"ÀB\"), length(12345) }"], "", "1 3 AÉ àb 5\n", 0),
    (&["BEGIN { s = \"aaa\"; print gsub(/x*/, \"-\", s), s; s = \"hello\"; gsub(/l/, \"[&\\\\&]\", s); print s }"], "", "4 -a-a-a-\nhe[l&][l&]o\n", 0),
    (&["BEGIN { print gensub(/(l)(o)/, \"<\\\\2\\\\1\\\\0>\", \"g\", \"hello\"), gensub(/a/, \"b\", 2, \"aaa\") }"], "", "hel<ollo> aba\n", 0),
    (&["BEGIN { print match(\"foobar\", /o+/, m), m[0], m[0, \"start\"], RSTART, RLENGTH }"], "", "2 oo 2 2 2\n", 0),
    (&["BEGIN { n = split(\"a1b2c\", a, /[0-9]/, s); print n, a[1], a[3], s[1], s[2]; print split(\"\", b), split(\"abc\", c, \"\"), c[2]; print split(\"  a b \", d), d[1] }"], "", "3 a c 1 2\n0 3 b\n2 a\n", 0),
    (&["BEGIN { printf \"%5.2f|%-8s|%08.3f|%+d|%x|%o|%c|%c|%5%|%i|%e|%G|%.3s|%*d\\n\", 3.14159, \"ab\", 3.14159, 5, 255, 8, 65, \"hello\", 42, 12345.678, 1e-10, \"éééé\", 4, 7 }"], "", " 3.14|ab      |0003.142|+5|ff|10|A|h|%|42|1.234568e+04|1E-10|ééé|   7\n", 0),
    (&["{ $2 = \"pears\"; print; print NF; $5 = \"x\"; print; NF = 2; print; $0 = \"a b c\"; print $2, NF }"], "5 apples\n", "5 pears\n2\n5 pears   x\n5 pears\nb 3\n", 0),
    (&["BEGIN { while ((\"echo a; echo b\" | getline l) > 0) print \"got \" l; print close(\"echo a; echo b\"); print system(\"exit 3\") }"], "", "got a\ngot b\n0\n3\n", 0),
    (&["BEGIN { print \"b\\na\" | \"sort\"; close(\"sort\"); print \"end\" }"], "", "a\nb\nend\n", 0),
    (&["function f(n) { return n <= 1 ? 1 : n * f(n - 1) } BEGIN { print f(10), f(20) }"], "", "3628800 2432902008176640000\n", 0),
    (&["function d(n) { return n == 0 ? 0 : 1 + d(n - 1) } BEGIN { print d(20000) }"], "", "20000\n", 0),
    (&["function g(a) { a[\"x\"] = 1 } BEGIN { g(z); print length(z), z[\"x\"]; delete z; print length(z) }"], "", "1 1\n0\n", 0),
    (&["BEGIN { a[1][2] = 3; print a[1][2], isarray(a[1]), length(a); for (i in a) for (j in a[i]) print i, j }"], "", "3 1 1\n1 2\n", 0),
    (&["BEGIN { a[\"x\"] = 3; a[\"y\"] = 1; a[\"z\"] = 2; PROCINFO[\"sorted_in\"] = \"@val_num_asc\"; for (k in a) printf \"%s \", k; n = asort(a, b); print n, b[1], b[3]; asorti(a, c); print c[1] }"], "", "y z x 3 1 3\nx\n", 0),
    (&["function by(i1, v1, i2, v2) { return v2 - v1 } BEGIN { a[\"x\"] = 3; a[\"y\"] = 7; a[\"z\"] = 5; PROCINFO[\"sorted_in\"] = \"by\"; for (k in a) print k }"], "", "y\nz\nx\n", 0),
    (&["BEGIN { RS = \"[0-9]+\" } { print NR, $0, RT }"], "a1b22c", "1 a 1\n2 b 22\n3 c \n", 0),
    (&["BEGIN { RS = \"\" } { print NR \": \" $0 \" NF=\" NF \" \" $2 }"], "\n\na b\nc\n\n\nd\n", "1: a b\nc NF=3 b\n2: d NF=1 \n", 0),
    (&["BEGIN { FPAT = \"([^,]*)|(\\\"[^\\\"]+\\\")\" } { print NF; for (i = 1; i <= NF; i++) print $i }"], "a,\"b,c\",d\n", "3\na\n\"b,c\"\nd\n", 0),
    (&["BEGIN { FIELDWIDTHS = \"2 3:2 *\" } { print NF; for (i = 1; i <= NF; i++) print $i }"], "abcdefgh\n", "3\nab\nfg\nh\n", 0),
    (&["BEGIN { FS = \"|\" } { print $2; FS = \",\" }"], "a|b,c|d\nx|y,z\n", "b,c\nz\n", 0),
    (&["/b/, /d/ { print NR, $0 }"], "a\nb\nc\nd\ne\nb\n", "2 b\n3 c\n4 d\n6 b\n", 0),
    (&["!seen[$1]++"], "a\nb\na\nc\nb\n", "a\nb\nc\n", 0),
    (&["BEGIN { switch (3) { case 1: print 1; case 3: print 3; case 4: print 4; break; default: print \"d\" } }"], "", "3\n4\n", 0),
    (&["BEGIN { do { i++; if (i == 2) continue; print i } while (i < 4); for (;;) { if (j++ > 3) break }; print j }"], "", "1\n3\n4\n5\n", 0),
    (&["$1 > 9"], "10\n9\nabc\n 11 \n", "10\nabc\n 11 \n", 0),
    (&["{ print ($1 == $2), ($1 < $2), ($1 < \"10\") }"], "1.0 1\n2 10\nabc abd\n", "1 0 1\n0 1 0\n0 1 0\n", 0),
    (&["BEGIN { exit 3 } END { print \"end\" }"], "", "end\n", 3),
    (&["{ exit }; END { exit 4 }"], "x\ny\n", "", 4),
    (&["BEGIN { print 1 +* 2 }"], "", "", 1),
    (&["BEGIN { x = 1; x[1] = 2 }"], "", "", 2),
    (&["BEGIN { y = 0; print 1 / y }"], "", "", 2),
    (&["BEGIN { f(1) }"], "", "", 2),
    (&["BEGIN { print and(12, 10), or(12, 10), xor(12, 10), lshift(1, 4), rshift(16, 2), strtonum(\"0x1F\"), strtonum(\"017\"), int(-3.7) }"], "", "8 14 6 16 4 31 15 -3\n", 0),
    (&["BEGIN { print strftime(\"%Y-%m-%d %H:%M:%S %j %V\", 86400 * 45, 1), mktime(\"2020 1 1 0 0 0\") }"], "", "1970-02-15 00:00:00 046 07 1577836800\n", 0),
    (&["BEGIN { CONVFMT = \"%d\"; a = 12.7; print (a \"\"); OFMT = \"%.2f\"; print 3.14159 }"], "", "12\n3.14\n", 0),
    (&["BEGIN { for (i = 1; i <= 12; i++) b[i]; for (k in b) printf \"%s \", k; print \"\"; if (!(13 in b)) print \"no\" }"], "", "1 2 3 4 5 6 7 8 9 10 11 12 \nno\n", 0),
    (&["BEGIN { print \"A\" ~ /a/; IGNORECASE = 1; print \"A\" ~ /a/, \"x\" == \"X\" }"], "", "0\n1 1\n", 0),
    (&["BEGIN { print \"a.b\" ~ /a\\.b/, \"a/b\" ~ \"a/b\", \"x]y\" ~ /[]]/, \"a b\" ~ /\\yb/, \"tab\\t\" ~ /\\t/, \"a{2}\" ~ /a{2}/, \"aa\" ~ /^a{2}$/ }"], "", "1 1 1 1 1 0 1\n", 0),
    (&["NR == 1 { next } { print FNR \": \" $0 } END { print NR }"], "h\na\nb\n", "2: a\n3: b\n3\n", 0),
    (&["BEGIN { getline; print \"first \" $0; getline x; print x, NR } { print \"rest \" $0 }"], "1\n2\n3\n", "first 1\n2 2\nrest 3\n", 0),
    (&["BEGIN { s = sprintf(\"%c%c\", 256, \"é\"); print s, length(s); print substr(\"hello\", 2), index(\"abc\", \"\") }"], "", "Āé 2\nello 1\n", 0),
    (&["BEGIN { printf \"%d %d %s\\n\", \"0x1A\", 2^53, 1e18; printf \"%2$s %1$s\\n\", \"a\", \"b\" }"], "", "0 9007199254740992 1000000000000000000\nb a\n", 0),
    (&["BEGIN { print length() }"], "abc\n", "0\n", 0),
    (&["BEGIN { print > \"/dev/stdout\"; print \"x\" > \"/dev/stderr\"; print ENVIRON[\"AWKTEST\"]; print ARGC, ARGV[0] }"], "", "\nvalue\n1 awk\n", 0),
    (&["-F:", "-v", "x=a\\tb", "{ print $2 x, y }", "y=1", "-"], "p:q:r\n", "qa\tb 1\n", 0),
    (&["-Ft", "{ print $2 }"], "a\tb\n", "\n", 0),
    (&["-F", "", "{ print $2 }"], "abc\n", "b\n", 0),
    (&["--", "{ print $1 }"], "a b\n", "a\n", 0),
    (&["-f", "/nosuch"], "", "", 2),
    (&["{ print }", "/nosuch"], "", "", 2),
];

#[test]
fn programs_do_what_gawk_does() {
    for (arguments, input, expected, status) in CASES {
        let mut child = Command::new(env!("CARGO_BIN_EXE_awk"))
            .args(*arguments)
            .env("LC_ALL", "C.UTF-8")
            .env("AWKTEST", "value")
            .env_remove("TZ")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("awk starts");
        // A program that does not read ends its input early.
        let _ = child
            .stdin
            .take()
            .expect("it is piped")
            .write_all(input.as_bytes());
        let output = child.wait_with_output().expect("awk ends");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            *expected,
            "{arguments:?}: {errors}"
        );
        assert_eq!(
            output.status.code(),
            Some(*status),
            "{arguments:?}: {errors}"
        );
    }
}

#[test]
fn endless_recursion_ends_with_a_message() {
    let output = Command::new(env!("CARGO_BIN_EXE_awk"))
        .arg("function f(n) { return f(n + 1) } BEGIN { f(1) }")
        .output()
        .expect("awk starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("called too deep"));
}

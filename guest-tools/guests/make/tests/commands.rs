//! What make prints and returns, as GNU make 4.3 does. Messages are part of the output.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![cfg(unix)]

use std::fs;
use std::process::Command;

/// Runs `make` with words in a fresh folder with a makefile and returns status and output.
fn check(makefile: &str, line: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Makefile"), makefile).unwrap();
    fs::write(folder.path().join("a.src"), "source\n").unwrap();
    // Both streams into one file keep their order.
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_make"))
        .args(line.split(' ').filter(|word| !word.is_empty()))
        .current_dir(folder.path())
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("FROM", "environment")])
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .status()
        .unwrap();
    let text = fs::read_to_string(folder.path().join("log")).unwrap();
    let text = text.replace(folder.path().to_str().unwrap(), "HERE");
    assert_eq!(
        format!("{} {text}", status.code().unwrap()),
        expected,
        "{makefile} {line}"
    );
}

#[test]
fn makefiles_do_as_with_gnu() {
    for (makefile, line, expected) in [
        ("all: b\n\t@echo $@ $^\nb: ; @echo b\n", "", "0 b\nall b\n"),
        (
            "all:\n\tfalse\n",
            "",
            "2 false\nmake: *** [Makefile:2: all] Error 1\n",
        ),
        (
            "all: x y\nx:\n\tfalse\ny:\n\t@echo y\n",
            "-k",
            "2 false\nmake: *** [Makefile:3: x] Error 1\ny\nmake: Target 'all' not remade because of errors.\n",
        ),
        (
            "all: none\n",
            "",
            "2 make: *** No rule to make target 'none', needed by 'all'.  Stop.\n",
        ),
        (
            "all:\n    echo\n",
            "",
            "2 Makefile:2: *** missing separator.  Stop.\n",
        ),
        ("all:\n", "", "0 make: Nothing to be done for 'all'.\n"),
        ("a.src: ; @echo\n", "", "0 make: 'a.src' is up to date.\n"),
        ("%.o: %.src\n\t@echo $< $* $@\n", "a.o", "0 a.src a a.o\n"),
        (
            "%.y: %.x\n\tcp $< $@\n%.x: %.src\n\tcp $< $@\n",
            "a.y",
            "0 cp a.src a.x\ncp a.x a.y\nrm a.x\n",
        ),
        (
            "A = $(B)\nB = $(A)\n$(info $A)\n",
            "",
            "2 Makefile:1: *** Recursive variable 'A' references itself (eventually).  Stop.\n",
        ),
        (
            "A := x\nall: A += y\nall: ; @echo $A $$FROM $(FROM)\n",
            "FROM=line",
            "0 x y line line\n",
        ),
        (
            "define f\n$1: ; @echo $$@ $2\nendef\n$(eval $(call f,all,z))\n",
            "",
            "0 all z\n",
        ),
        (
            "a: b\nb: a\n\t@echo b\n",
            "",
            "0 make: Circular b <- a dependency dropped.\nb\n",
        ),
        (
            "all: a b\na: ; @sleep 0.2; echo a\nb: ; @echo b\n",
            "-j2",
            "0 b\na\n",
        ),
        (
            "all: ; @$(MAKE) -f Makefile b\nb: ; @echo $(MAKELEVEL)\n",
            "",
            "0 make[1]: Entering directory 'HERE'\n1\nmake[1]: Leaving directory 'HERE'\n",
        ),
        (
            "all: ; @echo $(.DEFAULT_GOAL)\ninclude none.mk\nnone.mk: ; @echo 'X = 1' > $@\n",
            "",
            "0 all\n",
        ),
    ] {
        check(makefile, line, expected);
    }
}

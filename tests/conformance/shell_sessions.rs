//! Sessions that a person would try in a shell, with trees and files of the size that real work has. What they should
//! come to is computed here, not by another shell.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::json;
use sinew_runtime::fs::FsLimits;
use sinew_runtime::{CallOptions, Limits};
use sinew_tests::shell::{Handful, Shells};

use crate::PROGRAM;

const FOLDERS: usize = 200;
const FILES_PER_FOLDER: usize = 100;

/// Lays a tree like that of a large repository: 20,000 files, of which every seventh has something to be done.
fn lay_tree(root: &Path) -> Result<BTreeMap<&'static str, usize>> {
    let mut words = BTreeMap::new();
    for folder in 0..FOLDERS {
        let path = root.join(format!("src/m{:02}/part{folder}", folder % 20));
        std::fs::create_dir_all(&path)?;
        for file in 0..FILES_PER_FOLDER {
            let number = folder * FILES_PER_FOLDER + file;
            let mut text = format!("//! Part {number}.\nfn old_name_{number}() {{}}\n");
            if number.is_multiple_of(7) {
                text += "// TODO: finish\n";
                *words.entry("TODO").or_insert(0) += 1;
            }
            if number.is_multiple_of(1_001) {
                text += "// FIXME: wrong\n";
                *words.entry("FIXME").or_insert(0) += 1;
            }
            std::fs::write(path.join(format!("file{file}.rs")), text)?;
        }
    }
    Ok(words)
}

async fn with_limits(limits: Limits) -> Result<(Shells, Handful)> {
    let shells = Shells::new(PROGRAM).await?;
    let hand = shells.hand(limits)?;
    Ok((shells, hand))
}

/// Room for large files, and for no process to hold them.
fn large_files_small_memory() -> Limits {
    Limits {
        memory_bytes: 192 << 20,
        fs: FsLimits {
            bytes_max: 2 << 30,
            ..FsLimits::default()
        },
        ..Limits::default()
    }
}

async fn check(hand: &Handful, script: &str, expected: &str) -> Result<()> {
    let input = json!({"command": script, "timeout_ms": 600_000});
    let answer = hand.call(&input, CallOptions::default()).await?;
    assert_eq!(answer.text, expected, "{script}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_twenty_thousand_files_is_searched_and_changed() -> Result<()> {
    let (_shells, hand) = with_limits(Limits::default()).await?;
    let words = lay_tree(&hand.workspace())?;
    let mut counts = String::new();
    for (word, count) in &words {
        writeln!(counts, "{count:7} {word}")?;
    }
    check(
        &hand,
        "find . -type f -name '*.rs' | xargs grep -ho 'TODO\\|FIXME' | sort | uniq -c",
        &counts,
    )
    .await?;
    check(&hand, "grep -rl FIXME src | wc -l", "20\n").await?;
    check(
        &hand,
        "find src -name '*.rs' -print0 | xargs -0 cat | wc -l",
        &format!(
            "{}\n",
            2 * FOLDERS * FILES_PER_FOLDER + words["TODO"] + words["FIXME"]
        ),
    )
    .await?;
    check(
        &hand,
        "grep -rl old_name_ src/m03 src/m04 | xargs sed -i 's/old_name_/new_name_/' && \
         grep -rh new_name_ src | wc -l; grep -rh old_name_ src | wc -l",
        "2000\n18000\n",
    )
    .await?;
    let changed = std::fs::read_to_string(hand.workspace().join("src/m03/part3/file5.rs"))?;
    assert!(changed.contains("fn new_name_305()"), "{changed}");
    check(
        &hand,
        "find src -name 'file1?.rs' -delete; find src -type f | wc -l",
        &format!("{}\n", FOLDERS * (FILES_PER_FOLDER - 10)),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_survives_an_archive_with_modes_and_links() -> Result<()> {
    let (_shells, hand) = with_limits(Limits::default()).await?;
    lay_tree(&hand.workspace())?;
    check(
        &hand,
        "cd src; rm -rf m1?; chmod 750 m01; chmod +x m01/part1/file0.rs; chmod 600 m01/part1/file1.rs
         ln -s ../m02 m01/link; ln -s nowhere m01/dangling; printf '\\0\\377' > m01/binary
         touch -d '2020-02-02 02:02:02' m01/binary
         facts() { (cd \"$1\"; find . -printf '%P %y %m %l\\n' | sort | sha256sum
           find . -type f -printf '%P %s %TY-%Tm-%Td %TH:%TM:\\n' | sort | sha256sum
           find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum); }
         for how in '' z j J; do
           rm -rf ../out; mkdir ../out
           tar c${how}f ../all.tar . && tar x${how}pf ../all.tar -C ../out || echo failed
           [ \"$(facts .)\" = \"$(facts ../out)\" ] || { echo \"-$how differs\"; facts .; facts ../out; }
         done; ls ../out | wc -l",
        "10\n",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_two_hundred_megabytes_goes_through_a_pipe_in_little_memory() -> Result<()> {
    let (_shells, hand) = with_limits(large_files_small_memory()).await?;
    let mut log =
        std::io::BufWriter::new(std::fs::File::create(hand.workspace().join("access.log"))?);
    let (mut bytes, mut lines) = (0, 0_u64);
    let mut hits: BTreeMap<u64, u64> = BTreeMap::new();
    while bytes < 200 << 20 {
        // Some addresses come much more often than others.
        let spread = lines.wrapping_mul(2_654_435_761) % 1_009;
        let address = spread * spread % 251;
        *hits.entry(address).or_insert(0) += 1;
        let line = format!("10.0.0.{address} - - GET /items/{lines} 200 {spread}\n");
        log.write_all(line.as_bytes())?;
        bytes += line.len();
        lines += 1;
    }
    log.flush()?;
    let mut ranked: Vec<(u64, u64)> = hits
        .iter()
        .map(|(address, count)| (*count, *address))
        .collect();
    ranked.sort_by_key(|(count, address)| (std::cmp::Reverse(*count), format!("10.0.0.{address}")));
    let mut expected = String::new();
    for (count, address) in ranked.iter().take(3) {
        writeln!(expected, "{count:7} 10.0.0.{address}")?;
    }
    check(
        &hand,
        "awk '{print $1}' access.log | sort | uniq -c | sort -k1,1nr -k2 | head -n 3",
        &expected,
    )
    .await?;
    check(&hand, "wc -l < access.log", &format!("{lines}\n")).await?;
    check(
        &hand,
        "cat access.log | gzip -1 | gunzip | cmp - access.log && echo same",
        "same\n",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_pass_through_pipes_and_files_unchanged() -> Result<()> {
    let (_shells, hand) = with_limits(Limits::default()).await?;
    let bytes: Vec<u8> = (0..1_000_003_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    std::fs::write(hand.workspace().join("in"), &bytes)?;
    check(
        &hand,
        "cat < in | tee copy | cat | dd bs=4099 2>/dev/null | tail -c +1 | base64 | base64 -d > out
         cmp in out && cmp in copy && head -c 500000 in > a && tail -c +500001 in > b && cat a b | cmp - in && echo same",
        "same\n",
    )
    .await?;
    assert!(std::fs::read(hand.workspace().join("out"))? == bytes);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_followed_and_killed() -> Result<()> {
    let (_shells, hand) = with_limits(Limits::default()).await?;
    check(
        &hand,
        "echo one > log; tail -f log > seen & until grep -q one seen 2>/dev/null; do :; done
         echo two >> log; until grep -q two seen; do :; done
         kill %1; wait %1; echo \"status $?\"; cat seen; jobs",
        "status 143\none\ntwo\n",
    )
    .await?;
    check(
        &hand,
        "yes | head -n 3; echo ${PIPESTATUS[@]}",
        "y\ny\ny\n141 0\n",
    )
    .await?;
    check(
        &hand,
        "mkfifo pipe; (for i in 1 2 3; do echo $i; done > pipe) & while read -r n; do echo \"got $n\"; done < pipe; wait
         exec 3<>pipe; echo token >&3; read -r t <&3; echo $t; exec 3>&-; [ -p pipe ] && rm pipe && echo gone",
        "got 1\ngot 2\ngot 3\ntoken\ngone\n",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_mean_what_they_say() -> Result<()> {
    let (_shells, hand) = with_limits(Limits::default()).await?;
    check(
        &hand,
        "echo text > f; chmod 444 f; echo more > f; echo $?; cat f; chmod 000 f; cat f; stat -c %a f
         mkdir d; touch d/x; chmod 555 d; rm -f d/x; touch d/y; ls d; chmod 755 d; rm -r d f; ls",
        "bash: line 1: f: Permission denied\n1\ntext\ncat: f: Permission denied\n0\n\
         rm: cannot remove 'd/x': Permission denied\ntouch: cannot touch 'd/y': Permission denied\nx\n",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_with_a_name_runs_as_a_program() -> Result<()> {
    let (_shells, hand) = with_limits(Limits::default()).await?;
    check(
        &hand,
        "cat > tool <<'END'
#!/usr/bin/env bash
set -euo pipefail
echo \"$0 has $# arguments: $*\"
exit 3
END
./tool; chmod +x tool; ./tool a 'b c'; echo $?; mkdir bin; mv tool bin; PATH=$PATH:$PWD/bin; tool x || echo failed",
        "bash: line 7: ./tool: Permission denied\n./tool has 2 arguments: a b c\n3\n/workspace/bin/tool has 1 arguments: x\nfailed\n",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_folder_that_is_gone_nothing_else_is_meant() -> Result<()> {
    let (_shells, hand) = with_limits(Limits::default()).await?;
    check(
        &hand,
        "mkdir keep gone; touch keep/a; cd gone; rmdir ../gone
         ls 2> /dev/null; find . -delete 2> /dev/null; rm -rf workspace ./* 2> /dev/null
         touch new 2> /dev/null || echo nowhere; pwd; cd ..; ls -R",
        "nowhere\n/workspace/gone\n.:\nkeep\n\n./keep:\na\n",
    )
    .await
}

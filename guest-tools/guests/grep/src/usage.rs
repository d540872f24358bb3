//! What `--help` and `--version` print.

pub(crate) const VERSION: &str = "grep (GNU grep) 3.8, as Sinew has it\n";

pub(crate) const SHORT: &str = "Usage: grep [OPTION]... PATTERNS [FILE]...\n\
    Try 'grep --help' for more information.\n";

pub(crate) const HELP: &str = "\
Usage: grep [OPTION]... PATTERNS [FILE]...
Print the lines of each FILE that match one of PATTERNS, which newlines separate.

Patterns:
  -G, --basic-regexp         basic regular expressions (the default)
  -E, --extended-regexp      extended regular expressions
  -F, --fixed-strings        plain text
  -P, --perl-regexp          Perl regular expressions
  -e, --regexp=PATTERNS      patterns; may be given more than once
  -f, --file=FILE            patterns from FILE
  -i, --ignore-case          without regard to case; --no-ignore-case undoes it
  -w, --word-regexp          matches are whole words
  -x, --line-regexp          matches are whole lines
  -z, --null-data            lines end in a zero byte

Selection:
  -v, --invert-match         lines that do not match
  -m, --max-count=NUM        stop after NUM selected lines
  -s, --no-messages          no messages about files that cannot be read

Output:
  -c, --count                only the number of selected lines
  -l, --files-with-matches   only names of files with selected lines
  -L, --files-without-match  only names of files without
  -o, --only-matching        only what matched
  -q, --quiet, --silent      nothing: only the exit status
  -n, --line-number          with line numbers
  -b, --byte-offset          with byte offsets
  -H, --with-filename        with file names
  -h, --no-filename          without file names
      --label=LABEL          LABEL is the name of standard input
  -T, --initial-tab          make tabs line up
  -Z, --null                 a zero byte after file names
      --color[=WHEN]         color matches: 'always', 'never', 'auto'
      --line-buffered        write every line at once

Context:
  -A, --after-context=NUM    and NUM lines after
  -B, --before-context=NUM   and NUM lines before
  -C, --context=NUM, -NUM    and NUM lines before and after
      --group-separator=SEP  what stands between groups; --no-group-separator

Files:
  -r, --recursive            whole directories, '.' if none is named
  -R, --dereference-recursive  likewise, through symbolic links
      --include=GLOB         only files of these names
      --exclude=GLOB         no files of these names; --exclude-from=FILE
      --exclude-dir=GLOB     no directories of these names
  -d, --directories=ACTION   'read', 'recurse' or 'skip' directories
  -D, --devices=ACTION       'read' or 'skip' devices
      --binary-files=TYPE    files are 'binary', 'text' or 'without-match'
  -a, --text                 all files are text
  -I                         binary files do not match
  -U, --binary               no meaning here

The exit status is 0 if a line is selected, 1 if none is, 2 after an error.
";

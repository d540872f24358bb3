//! What `--help` and `--version` print.

pub(crate) const VERSION: &str = "sed (GNU sed) 4.9, as Sinew has it\n";

pub(crate) const HELP: &str = "\
Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...

  -n, --quiet, --silent      print lines only where the script says so
  -e, --expression=SCRIPT    commands; may be given more than once
  -f, --file=FILE            commands from FILE
  -E, -r, --regexp-extended  extended regular expressions
  -i[SUFFIX], --in-place[=SUFFIX]
                             edit files in place; the old ones get SUFFIX
      --follow-symlinks      edit what symbolic links point to
  -l, --line-length=N        the width of what the command l prints
  -s, --separate             every file by itself, not one long stream
  -u, --unbuffered           write every line at once
  -z, --null-data            lines end in a zero byte
      --posix                no GNU extensions
      --sandbox              no commands e, r and w
      --help, --version

Without -e and -f the first operand is the script. Without files standard
input is read.
";

//! What `--help` and `--version` say.

pub(crate) const VERSION: &str = "tar (GNU tar) 1.34\n";

pub(crate) const HELP: &str = "\
Usage: tar [OPTION...] [FILE]...
Saves many files together into one archive, and restores them from it.

What to do:
  -A, --catenate             append archives to an archive
  -c, --create               make a new archive
  -d, --diff, --compare      find differences between archive and files
      --delete               delete members of the archive
  -r, --append               append files to the archive
  -t, --list                 list the members of the archive
      --test-label           show or test the archive's label
  -u, --update               append only files that are newer
  -x, --extract, --get       make files of members

The archive:
  -f, --file=ARCHIVE         use this file, `-` for standard input or output
  -a, --auto-compress        choose the compression by the archive's name
  -I, --use-compress-program=PROGRAM
  -j, -J, -z, --lzma, --zstd  compress with bzip2, xz, gzip, lzma, zstd
  -H, --format=FORMAT        v7, oldgnu, gnu, ustar, pax or posix
  -b, --blocking-factor=BLOCKS, --record-size=NUMBER, -i, -V, --pax-option

Which files:
  -C, --directory=DIR        go to this folder first
  -T, --files-from=FILE      read names from a file; --null: ended by zeros
      --exclude=PATTERN, -X FILE, --exclude-vcs, --exclude-tag=FILE
      --wildcards, --anchored, --ignore-case and their --no- forms
      --no-recursion, --newer-mtime=DATE, --occurrence, -K NAME
  -h, --dereference          follow symbolic links
  -P, --absolute-names       keep leading slashes

Names and attributes:
      --transform=EXPRESSION, --strip-components=NUMBER, --one-top-level
      --owner=NAME, --group=NAME, --mode=CHANGES, --mtime=DATE
      --numeric-owner, --sort=name, -p, -m, --no-same-permissions

Extraction:
  -k, --keep-old-files, --skip-old-files, --keep-newer-files, --overwrite
  -U, --unlink-first, --backup, --suffix, --remove-files
  -O, --to-stdout, --to-command=COMMAND

Output:
  -v, --verbose, --full-time, --utc, -R, --totals, --checkpoint
      --quoting-style=STYLE, --show-transformed-names, --warning=KEYWORD
";

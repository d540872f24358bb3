//! What the programs say of themselves.

pub(super) const VERSION: &str = "UnZip 6.00 of 20 April 2009, by Debian. Original by Info-ZIP.\n";

pub(super) const UNZIP: &str = "\
UnZip 6.00 of 20 April 2009, by Debian. Original by Info-ZIP.

Usage: unzip [-Z] [-opts[modifiers]] file[.zip] [list] [-x xlist] [-d exdir]
  Extracts the files in list, except those in xlist, to exdir.

  -p  contents to standard output            -l  list files (short format)
  -f  freshen existing files, create none    -t  test the archive's data
  -u  update files, create if necessary      -z  show the archive's comment
  -v  list verbosely, or show the version    -c  contents with their names
  -x  exclude the files that follow          -d  extract into exdir
  -Z  as zipinfo: -1, -2, -s, -m, -l, -h, -t
modifiers:
  -n  never overwrite existing files         -q  quiet (-qq: quieter)
  -o  overwrite files without a question     -a  convert text files
  -j  no folders                             -C  match names in any case
  -L  names in lower case                    -K  keep setuid and setgid
  -D  no times of folders (-DD: of nothing)
";

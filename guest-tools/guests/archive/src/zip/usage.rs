//! What the program says of itself.

pub(super) const VERSION: &str = "\
Copyright (c) 1990-2008 Info-ZIP - Type 'zip \"-L\"' for software license.
This is Zip 3.0 (July 5th 2008), by Info-ZIP.
";

pub(super) const HELP: &str = "\
Copyright (c) 1990-2008 Info-ZIP - Type 'zip \"-L\"' for software license.
Zip 3.0 (July 5th 2008). Usage:
zip [-options] [-t mmddyyyy] [-n suffixes] [zipfile list] [-xi list]
  Adds or replaces files from the list; `-` as a name is the standard input,
  as the zipfile the standard output.
  -f   freshen: only changed files  -u   update: only changed or new files
  -d   delete entries in zipfile    -m   move into zipfile (delete files)
  -r   recurse into directories     -R   recurse from here, list is patterns
  -j   junk (don't record) names    -D   do not add directory entries
  -0   store only                   -1   compress faster, -9 better
  -q   quiet operation              -v   verbose operation
  -x   exclude the following names  -i   include only the following names
  -y   store symbolic links         -X   exclude extra file attributes
  -@   read names from stdin        -T   test zipfile integrity
  -n   don't compress these         -z   add zipfile comment
  -o   make zipfile as old as its latest entry
  -FS  delete entries without files -sf  show what is in the zipfile
  -O   write to another file
";

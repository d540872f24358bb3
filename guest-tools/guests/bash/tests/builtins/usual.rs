//! Scripts as they are written every day.

use super::Case;

pub const CASES: &[Case] = &[
    (
        r#"while read -r a b; do echo "$b-$a"; done <<< $'1 2\n3 4 5'"#,
        r"2-1
4 5-3
",
        0,
    ),
    (
        r#"printf 'a\nb\nc\n' | while read x; do echo "[$x]"; done"#,
        r"[a]
[b]
[c]
",
        0,
    ),
    (
        r#"printf 'a\nb\nc\n' | { read x; echo "$x"; cat; }"#,
        r"a
b
c
",
        0,
    ),
    (
        r#"printf 'a\\\nb c\n' | { read x y; echo "$x|$y"; }"#,
        r"ab|c
",
        0,
    ),
    (
        r#"printf 'a\\ b c\n' | { read x y; echo "$x|$y"; }"#,
        r"a b|c
",
        0,
    ),
    (
        r#"IFS=, read -ra parts <<< "a,b,,d"; echo "${#parts[@]} ${parts[3]}""#,
        r"4 d
",
        0,
    ),
    (
        r#"read -d '' text <<'X'
line 1
line 2
X
echo "$? [$text]""#,
        r"1 [line 1
line 2]
",
        0,
    ),
    (
        r"read -t 0.1 x < <(sleep 1); echo $?",
        r"142
",
        0,
    ),
    (
        r#"read -t 0.2 x < <(printf abc; sleep 1); echo "$? $x""#,
        r"142 abc
",
        0,
    ),
    (
        r#"mapfile -t lines < <(seq 5); echo "${lines[@]}" "${#lines[@]}""#,
        r"1 2 3 4 5 5
",
        0,
    ),
    (
        r#"cb() { echo "cb $1 $2"; }; mapfile -t -C cb -c 2 x < <(seq 5); declare -p x"#,
        r#"cb 1 2
cb 3 4
declare -a x=([0]="1" [1]="2" [2]="3" [3]="4" [4]="5")
"#,
        0,
    ),
    (
        r#"f() { local x=1; g; echo "$x"; }; g() { x=2; local x=3; echo "$x"; }; f"#,
        r"3
2
",
        0,
    ),
    (
        r"f() { local -a arr=(1 2); local -A m=([k]=v); declare -p arr m; }; f; declare -p arr 2>/dev/null; echo $?",
        r#"declare -a arr=([0]="1" [1]="2")
declare -A m=([k]="v" )
1
"#,
        0,
    ),
    (
        r"f() { local -; set -u; echo $-; }; f; echo $-",
        r"huBc
hBc
",
        0,
    ),
    (
        r"f() { local -n ref=$1; ref=5; ref+=1; }; f zz; echo $zz",
        r"51
",
        0,
    ),
    (
        r#"declare -n r=arr; arr=(1 2 3); echo "${r[1]}" "${#r[@]}"; r+=(4); declare -p arr; unset r; declare -p arr"#,
        r#"2 3
declare -a arr=([0]="1" [1]="2" [2]="3" [3]="4")
"#,
        1,
    ),
    (
        r#"f() { declare -g G=1; declare L=2; }; f; echo "$G [$L]""#,
        r"1 []
",
        0,
    ),
    (
        r#"x=1; f() { local x; declare -g x=5; echo "[$x]"; }; f; echo $x"#,
        r"[]
5
",
        0,
    ),
    (
        r"export A=1; bash -c 'echo $A'; export -n A; bash -c 'echo [$A]'",
        r"1
[]
",
        0,
    ),
    (
        r"f() { echo exported $1; }; export -f f; bash -c 'f hi'",
        r"exported hi
",
        0,
    ),
    (
        r"f() { echo hi; }; declare -f f; declare -F; type f",
        r"f () 
{ 
    echo hi
}
declare -f f
f is a function
f () 
{ 
    echo hi
}
",
        0,
    ),
    (
        r#"set -- a b c; set -- "$@" d; echo $# "$@"; shift 2; echo "$@"; set --; echo $#"#,
        r"4 a b c d
c d
0
",
        0,
    ),
    (
        r"set -o noclobber; set -o | grep -E 'noclobber|errexit'; set +o | grep noclobber; echo $-",
        r"errexit        	off
noclobber      	on
set -o noclobber
hBCc
",
        0,
    ),
    (
        r"set -euo pipefail; echo $-; shopt -o pipefail nounset",
        r"ehuBc
pipefail       	on
nounset        	on
",
        0,
    ),
    (
        r"x='a b'; y=$'t\tq'; z=(1 'b c'); declare -A m=([x]=1); set | grep -E '^(x|y|z|m)='",
        r#"m=([x]="1" )
x='a b'
y=$'t\tq'
z=([0]="1" [1]="b c")
"#,
        0,
    ),
    (
        r"trap 'echo exit $?' EXIT; echo hi; exit 3",
        r"hi
exit 3
",
        3,
    ),
    (
        r"trap 'echo usr' USR1; kill -USR1 $$; echo after",
        r"usr
after
",
        0,
    ),
    (
        r"trap 'echo usr1' USR1; (kill -USR1 $$); sleep 0.1; echo done",
        r"usr1
done
",
        0,
    ),
    (
        r"trap 'echo err $?' ERR; false; true; (exit 4); echo end",
        r"err 1
err 4
end
",
        0,
    ),
    (
        r"trap 'echo dbg' DEBUG; echo a; trap - DEBUG; echo b",
        r"dbg
a
dbg
b
",
        0,
    ),
    (
        r"f() { trap 'echo ret' RETURN; echo in; }; f; echo out",
        r"in
ret
out
",
        0,
    ),
    (
        r"trap '' TERM; kill $$; echo alive; trap - TERM; trap -p",
        r"alive
",
        0,
    ),
    (
        r"sleep 0.2 & wait $!; echo $?; (exit 7) & wait $!; echo $?; wait; echo $?",
        r"0
7
0
",
        0,
    ),
    (
        r"sleep 0.3 & p=$!; (exit 5) & wait -n; echo $?; kill $p; wait $p; echo $?",
        r"5
143
",
        0,
    ),
    (
        r"sleep 5 & kill %1; wait %1; echo $?",
        r"143
",
        0,
    ),
    (
        r#"(exit 3) & wait -n -p v; echo $? $([ "$v" = "$!" ] && echo same)"#,
        r"3 same
",
        0,
    ),
    (
        r"kill -0 $$ && echo ok; kill -0 999999 2>/dev/null || echo no",
        r"ok
no
",
        0,
    ),
    (
        r#"while getopts ":ab:c" o -a -b x -z -b; do echo "$o ${OPTARG-unset} $OPTIND"; done"#,
        r"a unset 2
b x 4
? z 5
: b 6
",
        0,
    ),
    (
        r#"f() { local OPTIND o; while getopts "xy:" o; do echo "$o=$OPTARG"; done; shift $((OPTIND-1)); echo "rest $*"; }; f -x -y 1 r1 r2; f -yfoo -- -x"#,
        r"x=
y=1
rest r1 r2
y=foo
rest -x
",
        0,
    ),
    (
        r"alias foo='echo bar'; shopt -s expand_aliases
foo x; alias; unalias foo; type foo 2>&1 | grep -c 'not found'",
        r"bar x
alias foo='echo bar'
1
",
        0,
    ),
    (
        r"cd /usr/lib; (cd /; pwd); pwd; cd ..; pwd; cd ./lib/../bin; pwd; echo $PWD",
        r"/
/usr/lib
/usr
/usr/bin
/usr/bin
",
        0,
    ),
    (
        r"umask 077; umask; umask -S; (umask 0); umask; touch um; stat -c %a um; rm um",
        r"0077
u=rwx,g=,o=
0077
600
",
        0,
    ),
    (
        r#"printf -v x '%05d' 42; echo $x; printf '%s-%s\n' a b c; printf '%q\n' "a'b" ''; printf '%b' 'a\tb\n'; printf '%x %o %e\n' 255 8 1.5"#,
        r"00042
a-b
c-
a\'b
''
a	b
ff 10 1.500000e+00
",
        0,
    ),
    (
        r"shopt -s nullglob extglob; shopt -p nullglob extglob; shopt -q dotglob; echo $?",
        r"shopt -s nullglob
shopt -s extglob
1
",
        0,
    ),
    (
        r"let x=5 y=x+1; echo $x $y $?; let x=0; echo $?; ((x=3)); echo $?",
        r"5 6 0
1
0
",
        0,
    ),
    (
        r"declare -i n; n='2*3'; n+=4; echo $n; declare -u U=abc; U+=d; echo $U; declare -l L=ABC; echo $L",
        r"10
ABCD
abc
",
        0,
    ),
    (
        r#"declare -A m; m[a]=1; m[b c]=2; for k in "${!m[@]}"; do echo "$k=${m[$k]}"; done | sort; unset 'm[a]'; echo ${#m[@]}"#,
        r"a=1
b c=2
1
",
        0,
    ),
    (r"readonly R=1; R=2; echo after", r"", 1),
    (
        r"(readonly R=1; unset R; echo $?); declare -r Q=3; declare -p Q",
        r#"1
declare -r Q="3"
"#,
        0,
    ),
    (
        r"eval 'x=$((1+2))'; echo $x; eval; echo $?; eval 'exit 4'",
        r"3
0
",
        4,
    ),
    (
        r"f() { return 3; }; f; echo $?; f() { return; }; false; f; echo $?",
        r"3
1
",
        0,
    ),
    (
        r"for i in 1 2 3; do for j in a b; do [ $i = 2 ] && continue 2; echo $i$j; [ $i = 3 ] && break 2; done; done",
        r"1a
1b
3a
",
        0,
    ),
    (
        r"source /dev/stdin <<< 'echo sourced $1' arg; . /nonexistent; echo $?",
        r"sourced arg
1
",
        0,
    ),
    (
        r"echo -e 'a\tb\x41\0101'; echo -n x; echo -E 'a\tb'; echo -neE 'q\n'; echo -x; echo --",
        r"a	bAA
xa\tb
q\n-x
--
",
        0,
    ),
    (
        r#"test -z "" -a -n x && echo yes; [ a = a -o b = c ]; echo $?; [ ! a = b ]; echo $?; [ '(' a ')' ]; echo $?; test 1 -eq 1x; echo $?"#,
        r"yes
0
0
0
2
",
        0,
    ),
    (
        r"exec 3> x3; echo hi >&3; exec 3>&-; cat x3; rm x3",
        r"hi
",
        0,
    ),
    (
        r"read -u 3 x 3<<< hello; echo $x; exec 4<<< $'l1\nl2'; read -u 4 a; read -u 4 b; echo $a $b",
        r"hello
l1 l2
",
        0,
    ),
    (
        r"enable -n echo; type -t echo; enable echo; type -t echo; builtin echo hi; command echo ho",
        r"file
builtin
hi
ho
",
        0,
    ),
    (
        r"caller; f() { caller; caller 0; g; }; g() { caller 1; }; f",
        r"1 NULL
",
        1,
    ),
    (
        r"unset -f nosuch; echo $?; f() { :; }; unset f; type f 2>/dev/null; echo $?; x=1; f() { :; }; unset x; unset f; echo ${x-gone}",
        r"0
1
gone
",
        0,
    ),
    (
        r"disown 2>/dev/null; echo $?; sleep 0.1 & disown; jobs; wait; echo $?",
        r"1
0
",
        0,
    ),
    (
        r"a=(1 2 3); unset 'a[1]'; declare -p a; a+=(9); declare -p a; a[10]=x; echo ${!a[@]}",
        r#"declare -a a=([0]="1" [2]="3")
declare -a a=([0]="1" [2]="3" [3]="9")
0 2 3 10
"#,
        0,
    ),
    (
        r#"printf 'x\ny\n' > in; while read l; do echo $l; read m; echo "m=$m"; done < in; { read a; read b; } < in; echo $a$b"#,
        r"x
m=y
xy
",
        0,
    ),
    (
        r"IFS=: ; x=a:b:c; set -- $x; echo $#; IFS=' '; declare -p IFS",
        r#"3
declare -- IFS=" "
"#,
        0,
    ),
    (
        r"x=5; unset x; x+=3; echo $x; declare -x y; y=4; bash -c 'echo $y'; declare -p y",
        r#"3
4
declare -x y="4"
"#,
        0,
    ),
    (
        r#"declare -a 'x=(1 "a b" 3)'; declare -p x; declare -A "m=([k]='v w')"; declare -p m"#,
        r#"declare -a x=([0]="1" [1]="a b" [2]="3")
declare -A m=([k]="v w" )
"#,
        0,
    ),
    (
        r"export PS4='+ '; set -x; echo hi 2>/dev/null; set +x; declare -t q; declare -p q",
        r"hi
declare -t q
",
        0,
    ),
    (
        r#"BASH_ENV= bash -c 'shopt -s lastpipe; echo v | read x; echo "[$x]"'"#,
        r"[v]
",
        0,
    ),
    (
        r"wait 12345; echo $?; kill -l 15 9; kill -l TERM; trap 'echo x' 15; trap -p; trap - 15",
        r"127
TERM
KILL
15
trap -- 'echo x' SIGTERM
",
        0,
    ),
    (
        r"f() { local x=$(false); echo $?; local y; y=$(false); echo $?; }; f; export z=$(false); echo $?",
        r"0
1
0
",
        0,
    ),
    (
        r"set -e; f() { false; echo no; }; f || echo caught; ! false; echo here; false; echo never",
        r"no
here
",
        1,
    ),
    (
        r#"x=(a b c); printf '%s,' "${x[@]}"; echo; printf '%s %s\n' one two three; printf '%d\n' 0x1f 010 "'A"; printf '%5s|%-5s|\n' a b; printf '%.2f\n' 3.14159; printf '%c' hello; echo; printf '%%\n'; printf '%i %u\n' -3 3; printf '%*d\n' 5 3"#,
        r"a,b,c,
one two
three 
31
8
65
    a|b    |
3.14
h
%
-3 3
    3
",
        0,
    ),
];

//! Rare options, mistakes, and how scopes and references meet.

use super::Case;

pub const CASES: &[Case] = &[
    (
        r"declare -a a=([3]=x y [1]=z); declare -p a; a=([0]+=q r); declare -p a; a+=([5]=five); declare -p a; declare -ai n=(1+1 2*2); n+=(3*3); declare -p n",
        r#"declare -a a=([1]="z" [3]="x" [4]="y")
declare -a a=([0]="q" [1]="r")
declare -a a=([0]="q" [1]="r" [5]="five")
declare -ai n=([0]="2" [1]="4" [2]="9")
"#,
        0,
    ),
    (
        r"declare -A m=(a 1 b 2); declare -p m; m+=([c]=3); for k in a b c; do echo ${m[$k]}; done; declare -A m=(); declare -p m",
        r#"declare -A m=([b]="2" [a]="1" )
1
2
3
declare -A m=()
"#,
        0,
    ),
    (
        r#"f() { local a=1 b=$a c; echo "$a[$b][${c-unset}]"; }; f"#,
        r"1[][unset]
",
        0,
    ),
    (
        r#"f() { local IFS=,; echo "$*"; }; f a b c; echo "${IFS@Q}""#,
        r"a,b,c
$' \t\n'
",
        0,
    ),
    (
        r"x=out; f() { echo $x; local x=in; echo $x; unset x; echo ${x-gone}; }; f; echo $x",
        r"out
in
gone
out
",
        0,
    ),
    (
        r#"f() { g; echo "f:$v"; }; g() { local v=1; h; echo "g:$v"; }; h() { unset v; echo "h:${v-none}"; v=2; }; v=0; f; echo $v"#,
        r"h:0
g:2
f:2
2
",
        0,
    ),
    (r"f() { local -r x=1; x=2; echo no; }; f; echo $?", r"", 1),
    (
        r"f() { local -x EX=1; bash -c 'echo $EX'; }; f; bash -c 'echo [$EX]'",
        r"1
[]
",
        0,
    ),
    (
        r"A=1 B=2 eval 'echo $A$B'; echo [$A]; A=1 export C; echo [$A]; D=4 : ; echo [$D]",
        r"12
[]
[]
[]
",
        0,
    ),
    (
        r"export A=1 B; declare -p A B; readonly A; declare -p A; export -n A; declare -p A",
        r#"declare -x A="1"
declare -x B
declare -rx A="1"
declare -r A="1"
"#,
        0,
    ),
    (
        r"typeset -i x=5; x+=5; echo $x; typeset -r y; y=1; echo $?",
        r"10
",
        1,
    ),
    (
        r"for n in a b; do declare -n ref=$n; ref=v_$n; done; echo $a $b; declare -n loop; for loop in p q; do loop=1; done; echo $p$q",
        r"v_a v_b
11
",
        0,
    ),
    (
        r"unset -n nosuch; echo $?; declare -n x=y; unset -n x; declare -p x 2>/dev/null; echo $?",
        r"0
1
",
        0,
    ),
    (
        r#"set -- ; echo "$#"; set a; set -- -a -b; echo "$@"; set - x y; echo $@; set +; echo $@; set -x -- q 2>/dev/null; set +x; echo $@"#,
        r"0
-a -b
x y
x y
q
",
        0,
    ),
    (
        r#"set -o errexit; set +o errexit; set -o | head -3; set +o | head -3; set -eu; set +eu; echo "$-""#,
        r"allexport      	off
braceexpand    	on
emacs          	off
set +o allexport
set -o braceexpand
set +o emacs
hBc
",
        0,
    ),
    (
        r"shopt -s nosuch; echo $?; shopt -q; echo $?; shopt -s | wc -l; shopt -u | wc -l; shopt -so | head -2",
        r"1
0
13
44
braceexpand    	on
hashall        	on
",
        0,
    ),
    (
        r#"read x <<< ''; echo "$? [$x]"; read x < /dev/null; echo "$? [$x]"; read -r x y <<< ' a\ b  c '; echo "[$x][$y]"; read x y <<< ' a\ b  c '; echo "[$x][$y]""#,
        r"0 []
1 []
[a\][b  c]
[a b][c]
",
        0,
    ),
    (
        r#"while IFS= read -r line || [ -n "$line" ]; do echo "[$line]"; done < <(printf '  a \nb\\\nc')"#,
        r"[  a ]
[b\]
[c]
",
        0,
    ),
    (
        r#"printf 'k1=v1\nk2=v2\n' | while IFS='=' read -r k v; do echo "$k -> $v"; done"#,
        r"k1 -> v1
k2 -> v2
",
        0,
    ),
    (
        r#"read -n1 a <<< xyz; read -N2 b <<< xyz; read -d: c <<< 'p:q'; echo "$a $b $c"; read -a arr -d '' <<< 'a b
c d'; echo ${#arr[@]} "${arr[@]}""#,
        r"x xy p
4 a b c d
",
        0,
    ),
    (
        r#"{ read -r first; mapfile -t rest; } < <(seq 4); echo "$first|${rest[*]}"; mapfile -s 1 -n 2 -t z < <(seq 5); echo "${z[@]}"; mapfile -d , -t c <<< a,b,c; declare -p c"#,
        r#"1|2 3 4
2 3
declare -a c=([0]="a" [1]="b" [2]=$'c\n')
"#,
        0,
    ),
    (
        r"trap 'echo a' EXIT; trap 'echo b' EXIT; (trap 'echo sub' EXIT); trap -p EXIT",
        r"sub
trap -- 'echo b' EXIT
b
",
        0,
    ),
    (
        r"trap 'echo $?; exit 9' EXIT; exit 2",
        r"2
",
        9,
    ),
    (
        r"f() { trap 'echo fexit' EXIT; }; f; (f; echo insub); echo main",
        r"insub
fexit
main
fexit
",
        0,
    ),
    (
        r"set -e; trap 'echo err $LINENO' ERR; f() { false; }; f; echo no",
        r"",
        1,
    ),
    (
        r"trap - NOSUCH; echo $?; trap 'x'; echo $?; trap -p NOSUCH; echo $?; trap '' USR1; trap",
        r"1
2
1
trap -- '' SIGUSR1
",
        0,
    ),
    (
        r"trap 'echo hup' HUP; trap 'echo term' TERM; kill -HUP $$; kill -s TERM $$; kill -15 $$; kill -n 1 $$; echo end",
        r"hup
term
term
hup
end
",
        0,
    ),
    (
        r"(exit 4) & (exit 5) & wait; echo $?; true & wait $! ; echo $?; wait %1; echo $?",
        r"0
0
127
",
        0,
    ),
    (
        r"f() { sleep 0.05; return 6; }; f & wait $!; echo $?; { exit 8; } & wait $!; echo $?",
        r"6
8
",
        0,
    ),
    (
        r"for s in HUP INT 9 SIGTERM 140; do kill -l $s; done; kill -l 1 2 3; kill -l 64; kill -l RTMIN+1",
        r"1
2
KILL
15
USR2
HUP
INT
QUIT
RTMAX
35
",
        0,
    ),
    (
        r"getopts x o; echo $? $o; set -- -abc; getopts abc o; echo $o $OPTIND; getopts abc o; echo $o $OPTIND; getopts abc o; echo $o $OPTIND; getopts abc o; echo $? $o $OPTIND",
        r"1 ?
a 1
b 1
c 2
1 ? 2
",
        0,
    ),
    (
        r"OPTERR=0; getopts a o -z; echo $o; OPTIND=1; getopts :a: o -a; echo $o $OPTARG; OPTIND=1; getopts a:b o -aval -b; echo $o $OPTARG; getopts a:b o -aval -b; echo $o",
        r"?
: a
a val
b
",
        0,
    ),
    (
        r"builtin nosuch; echo $?; builtin cd /; pwd; enable nosuch; echo $?; enable -n test; test; echo $?; [ a ]; echo $?",
        r"1
/
1
1
0
",
        0,
    ),
    (
        r"cd /usr/bin; cd ../lib; echo $PWD; cd -- -; cd -P .; cd -L ..; pwd; cd '' ; pwd; cd . ; cd ./; pwd; cd ///; pwd; cd //; pwd; cd /usr//lib/./..//; pwd",
        r"/usr/lib
/usr/bin
/usr
/usr
/usr
/
//
/usr
",
        0,
    ),
    (
        r#"cd /tmp; pushd /usr > /dev/null; pushd /bin >/dev/null; echo "${DIRSTACK[@]}"; pushd +2; dirs +1; dirs -1; popd +1; popd -0; dirs; popd; echo $?; echo ~0 ~1"#,
        r"/bin /usr /tmp
/tmp /bin /usr
/bin
/bin
/tmp /usr
/tmp
/tmp
1
/tmp ~1
",
        0,
    ),
    (
        r"umask 22; umask -p; umask -S; umask g-w,o=; umask; umask a=rx; umask; umask u+w; umask; umask 0777; umask; umask 8; echo $?; umask +x; umask",
        r"umask 0022
u=rwx,g=rx,o=rx
0027
0222
0022
0777
1
0666
",
        0,
    ),
    (
        r#"printf '%s %d %c|%5.2s|%-4d|%+d|% d|%05d|%x|%X|%#o|%e\n' str 42 char abcdef 7 5 5 42 255 255 8 1234.5; printf '%s\n'; printf 'a%sb\n' 1 2; printf '%d %d\n' 1; printf -v a[3] x; declare -p a; printf '%q ' 'a b' $'\n' "'" é; echo; printf '%b|' '\x41' '\u00e9' '\c' z"#,
        r#"str 42 c|   ab|7   |+5| 5|00042|ff|FF|010|1.234500e+03

a1b
a2b
1 0
declare -a a=([3]="x")
a\ b $'\n' \' é 
A|é|"#,
        0,
    ),
    (
        r"printf '%d\n' 12abc; echo $?; printf '%d\n' ''; echo $?; printf '%f\n' 1.5; printf '%s' a; printf '\n%%\n'; printf '%5%\n' 2>/dev/null; printf '%'; echo $?; printf '%Q|%.2q\n' 'a b' 'c d'",
        r"12
1
0
0
1.500000
a
%
1
a\ b|c\
",
        0,
    ),
    (
        r"echo -n; echo -e '\e[0m\a\b\f\v\\' | od -c | head -2; echo -e 'a\c'; echo b; echo '\n'; echo -ne 'x\n'; echo - -n; shopt -s xpg_echo; echo 'a\tb'",
        r"0000000 033   [   0   m  \a  \b  \f  \v   \  \n
0000012
ab
\n
x
- -n
a	b
",
        0,
    ),
    (
        r"test; echo $?; test ''; echo $?; test -n; echo $?; test ! x; echo $?; test a '<' b; echo $?; [ -e / -a -d / ]; echo $?; [ 1 -gt 0 ] && echo gt; [ a == a ]; echo $?; [ -v HOME ]; echo $?; [ x -ef y ]; echo $?; [ -t 0 ]; echo $?; [ ]; echo $?; [ a; echo $?",
        r"1
1
0
1
0
0
gt
0
0
1
1
1
2
",
        0,
    ),
    (
        r"let 'a=1,b=2' c=a+b; echo $a $b $c; let 'c++' 'c+=2'; echo $c; let '1==2'; echo $?; let x=08; echo $?; i=5; let i--; echo $i",
        r"1 2 3
6
1
1
4
",
        0,
    ),
    (
        r#"eval echo '$((1+1))' \; echo two; eval 'for i in 1 2; do echo $i; done'; eval "false"; echo $?; eval 'x='; echo $?; eval 'if'; echo $?"#,
        r"2
two
1
2
1
0
2
",
        0,
    ),
    (
        r"exec 5>o; echo x >&5; exec 5>&-; echo y >&5; cat o; exec 6<o; read l <&6; echo $l; exec 6<&-; (exec echo replaced; echo no); exec nosuch; echo no",
        r"x
x
replaced
",
        127,
    ),
    (r"exit 256; ", r"", 0),
    (r"exit -1", r"", 255),
    (r"exit abc", r"", 2),
    (
        r#"f() { return 300; }; f; echo $?; return 3; echo "$?"; f() { return x; }; f; echo $?"#,
        r"44
2
2
",
        0,
    ),
    (
        r"shift; echo $?; set -- a b; shift 3; echo $? $#; shift 2; echo $? $#; shift 0; echo $?",
        r"1
1 2
0 0
0
",
        0,
    ),
    (
        r"alias a='echo x'; alias b=; alias; alias b; unalias b; alias nosuch; echo $?; unalias -a; alias; shopt -s expand_aliases
alias e='echo al '; alias w=word
e w",
        r"alias a='echo x'
alias b=''
alias b=''
1
al word
",
        0,
    ),
    (
        r#"declare -f nosuch; echo $?; f() { echo "a b" | cat; }; declare -f f; declare -F f; declare -pf f; declare -F | wc -l; unset -f f; declare -F; readonly -f nosuch; echo $?"#,
        r#"1
f () 
{ 
    echo "a b" | cat
}
f
f () 
{ 
    echo "a b" | cat
}
1
1
"#,
        0,
    ),
    (
        r"wait abc; echo $?; wait 1; echo $?; jobs %9; echo $?; fg; echo $?; bg; echo $?; disown %9; echo $?; kill %9; echo $?; suspend; echo $?; logout; echo $?",
        r"1
127
1
1
1
1
1
1
1
",
        0,
    ),
    (
        r"local x=1; echo $?; f() { local; local -p; local 1x; echo $?; local a b=2; local -p; }; f",
        r#"1
1
declare -- a
declare -- b="2"
"#,
        0,
    ),
];

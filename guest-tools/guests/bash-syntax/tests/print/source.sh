compounds() { 
! time -p a | b |& c 2>f && { d; } || ! e &
x=1 y=(2 3) >f cmd a <b 2>&1 &>q 3<&- 4<&5- >&$z <<<"a b" {v}>f >|g <>h >&1 <&0 >>x &>>y
if a; then b; elif c; then d; else e; fi > out
while a; do b; done; until a; do b & done
for x; do a; done
for x in a b c; do a; b & c; done
for ((i=0; i<10 ; i++)) do a; done
for ((;;)); do a; done
select x in a b; do break; done
select x; do break; done
case $x in a|b) c;; d) ;& e) f;;& (*) g; h & esac
case x in esac
( a; b )
( a & )
{ a & }
((  a + b ))
[[ -f a && ( b == c* || ! $x =~ ^(a|b)$ ) ]]
[[ a ]]
[[ a < b && -n c && d -eq e ]]
coproc a b
coproc N { a; }
coproc { a; }
function g { a; } >f
h () ( a; b )
cat <<E <<'F' | b; c
$x
E
y
F
cat <<-E && x
	a
	E
x=(a
b # c
[4]=d)
a
! a
time
!
a &
}
descriptors() {
a >&1; a >&$z; a 2>&$z; a 1>&$z; a >&file; a 2>&file; a <&$z; a 0<&$z; a 3<&$z; a >&-; a <&-; a 1>&-; a 2>&-; a 2<&-
a >&5-; a <&5-; a 3>&$z-; a {v}>&1; a {v}<&-; a {v}>&-; a {v}>&$z; a {v}<file; a {v}>>f; a {v}>|f; a {v}<>f; a {v}<<<x; a 5<<<x; a 0<<<x; a 1>f; a 0<f; a 0>f; a 1<f; a 5<>f; a 1<>f; a 0<>f; a <>f; a >&"1"; a >&'x y'; a &>f; a &>>f; a 5>>f; a 1>>f; a 1>|f; a 5>|f; a 2>|f; a {v}>&5-; a >& 1; a >&1x
}
many() {
>f; >f <g
>f x=1
x=1 >f y=2 cmd
! { a; }
if ! a; then b; fi
if a & then b; fi
while a; b; do c; done
( a; b ) | { c; } && ( d ) &
a &
b
a & b & 
c
$(a
b); $( (a) ); $(a; b); $(a &); $(if a; then b; fi); $(f() { a; b; }); $(a <<E
x
E
)
x=$(a | b
c && d
# comment
e; f; g &
h)
y=$(while a; do b; c; done; { a; b; }; (a; b); case x in a) b;; esac)
z=$(
 a
)
cat <<A; echo b; echo c
x
A
echo $(cat <<A
x
A
echo y)
if cat <<A; then b; fi
x
A
while cat <<A
x
A
do b <<C; done
y
C
{ cat <<A; }
x
A
( cat <<A )
x
A
cat <<A &
x
A
b
cat <<A | b <<C && d <<E || f; g
x
A
y
C
z
E
case $(a) in a) b <<A ;; c) ;; esac
x
A
for x in; do a; done
for ((;;)) { a; }
for x in a
do { b; }; done
function foo { a; }
function foo2() ( a )
foo3() if a; then b; fi
foo4() { a; } >f 2>&1
foo5() ( a ) >f
foo6() { foo7() { a; }; foo7; }
! ! a
[[ ! -f a ]]
[[ ! ( a || b ) && c ]]
[[ ! ! a ]]
[[ a =~ (a b)|c ]]
[[ a =~ "x"$y[a-z]+ ]]
[[ a == @(x|y) ]]
[[ a = b && c != d || e -nt f ]]
[[ (a) ]]
time -p -- a
time { a; }
coproc x { a; } >f
coproc a >f
coproc ( a )
a=b c=([x]=y [z w]=$(  q  )) d+=e f[1]=2 f[a b]+=3
declare a=(1  2) b=c d
export x=$(a   b) y
local -a x=(a b)
{ a; } >f | b
if a; then b; elif c; then d; fi
if a; then if b; then c; fi; else d; fi
a && b || c && d; e
a &&
b
a |
b
a \
  b
echo "a
b" c
'a' "b" c\ d $'x\ty' $"z"
((a=1, b<2))
(( a )) || b
( (a) )
((a) ; b)
{ { a; }; b; }
f1() { a; }; b
echo ${a[1]} ${a[@]} ${#a[@]} ${!a} ${!a*} ${!a[@]} ${a:1} ${a: -1:2} ${a/b/c} ${a//b} ${a/#b/c} ${a^^} ${a,} ${a@Q} ${#} ${#a} ${##} ${#-} ${10} $10 ${-} $- ${a:-b} "${a:-"b c"}" "${a:-'x'}" ${a:+$'x'} "${a:+$'x'}" ${a#'x'} "${a%%"$b"*}"
select x in a; do b; done
}
documents() {
a $(cat <<A; echo y
x
A
)
a $(cat <<A | b; echo y
x
A
c)
a $(cat <<A && b
x
A
c; d)
a $({ cat <<A; }
x
A
c; d)
a $({ cat <<A
x
A
}; b)
a $( ( cat <<A
x
A
) ; b)
a $(if b; then cat <<A
x
A
fi; c)
if a; then cat <<A
x
A
fi
c
if a; then cat <<A
x
A
else d <<B
y
B
fi
for x in a; do cat <<A
x
A
done
while a; do cat <<A; b
x
A
done
case x in a) cat <<A
x
A
;; b) c <<A; d
x
A
esac
f1() {
cat <<A
x
A
}
b
{ a <<A
x
A
} >f
a <<A >f || b
x
A
a <<A &
x
A
b
a <<A & b
x
A
! a <<A
x
A
a <<A
x
A
a "$(b <<A
x
A
)"
x=$(a <<A
x
A
)
a <(b <<A
x
A
)
}
g() {
cat <<A
x
A
}
h() {
a; cat <<"A B" <<\C
x
A B
y
C
} >f <<E
z
E
i() if a; then b <<A; fi >f
x
A
substitutions() {
a $(
b
c
); a $(b # c
); a $(b &
c); a $(b;
c;
d;); a $(
); a $( # c
a
# d
)
a $(b && c || d
e)
a $(for x in a b; do c; d; done)
a $(for ((;;)); do c; d
e; done)
a $(if b
then c
d; fi)
a $(b | c |
d; e
f)
a $({ b
c; })
a $(f() { b
c; }
d)
a $( (b
c) )
a $(case x in a) b
c;; esac
d)
a $(while b
c; do d
e; done)
a $(b
c &
d)
a $(a $(b
c) d)
a `b
c`
a "$(b; c
d)"
a ${x:-$(b
c)}
a $(( $(b
c) ))
a=(1 $(b
c))
(( $(b; c) ))
[[ $(b; c) == $(d
e) ]]
a >$(b
c)
}

//! curl and wget as a shell calls them, against a server that says what it got.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

/// Answers every request with what it was, or as its path says. Returns the address.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut failures = 0;
        for stream in listener.incoming() {
            answer(stream.unwrap(), &mut failures);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, failures: &mut u32) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        head.iter().find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let mut body = Vec::new();
    if let Some(length) = header("content-length") {
        reader
            .take(length.parse().unwrap())
            .read_to_end(&mut body)
            .unwrap();
    } else if header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let length = u64::from_str_radix(line.trim(), 16).unwrap();
            reader
                .by_ref()
                .take(length + 2)
                .read_to_end(&mut body)
                .unwrap();
            body.truncate(body.len() - 2);
            if length == 0 {
                break;
            }
        }
    }
    let request = head[0].clone();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let dull = ["host", "connection", "accept", "user-agent"];
    let told = head.iter().skip(1).filter(|line| {
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        !dull.contains(&name.as_str())
    });
    let told: String = told.map(|line| format!("{line}\n")).collect();
    let said = format!("{request}\n{told}{}", String::from_utf8_lossy(&body));
    let (status, headers, said) = match path.split('?').next().unwrap() {
        "/302" => (
            "302 Found",
            "Location: /end\r\nSet-Cookie: a=1; Path=/\r\n".to_owned(),
            String::new(),
        ),
        "/307" => (
            "307 Temporary Redirect",
            "Location: /end\r\n".to_owned(),
            String::new(),
        ),
        "/loop" => ("302 Found", "Location: /loop\r\n".to_owned(), String::new()),
        "/404" => ("404 Not Found", String::new(), "none\n".to_owned()),
        "/flaky" if *failures < 2 => {
            *failures += 1;
            ("503 Service Unavailable", String::new(), String::new())
        }
        "/named" => (
            "200 OK",
            "Content-Disposition: attachment; filename=\"../given.txt\"\r\n".to_owned(),
            said,
        ),
        "/ten" => match header("range").as_deref() {
            Some("bytes=4-") => ("206 Partial Content", String::new(), "456789".to_owned()),
            _ => ("200 OK", String::new(), "0123456789".to_owned()),
        },
        "/new" if header("if-modified-since").is_some() => {
            ("304 Not Modified", String::new(), String::new())
        }
        "/new" => (
            "200 OK",
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(),
            "new".to_owned(),
        ),
        _ => ("200 OK", "Content-Type: text/plain\r\n".to_owned(), said),
    };
    let length = said.len();
    let body = if request.starts_with("HEAD") {
        ""
    } else {
        &said
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
}

struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

/// Runs a line of words in a folder; `URL` in them is the server's address.
fn run(folder: &Path, url: &str, line: &str, stdin: &str) -> Ran {
    let mut words = line
        .split(' ')
        .map(|word| word.replace("URL", url).replace('~', " "));
    let name = words.next().unwrap();
    let program = folder.join(format!(".{name}")).join(&name);
    if !program.exists() {
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_curl"), &program).unwrap();
    }
    let mut child = Command::new(program)
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn what_curl_sends() {
    let (folder, url) = (tempfile::tempdir().unwrap(), server());
    std::fs::write(folder.path().join("f"), "a b\nc").unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded\n";
    for (line, expected) in [
        ("curl URL", "GET / HTTP/1.1\n".to_owned()),
        ("curl -X DELETE URL/x?y#z", "DELETE /x?y HTTP/1.1\n".to_owned()),
        ("curl -d a=1 -d b=2 URL", format!("POST / HTTP/1.1\nContent-Length: 7\n{form}a=1&b=2")),
        ("curl -d @f URL", format!("POST / HTTP/1.1\nContent-Length: 4\n{form}a bc")),
        ("curl --data-binary @f URL", format!("POST / HTTP/1.1\nContent-Length: 5\n{form}a b\nc")),
        ("curl --data-raw @f URL", format!("POST / HTTP/1.1\nContent-Length: 2\n{form}@f")),
        ("curl -G -d a=1 --data-urlencode b=c~d URL/?x", "GET /?x&a=1&b=c%20d HTTP/1.1\n".to_owned()),
        (
            "curl --json {} URL",
            "POST / HTTP/1.1\nContent-Length: 2\nContent-Type: application/json\n{}".to_owned(),
        ),
        ("curl -T f URL/up", "PUT /up HTTP/1.1\nContent-Length: 5\na b\nc".to_owned()),
        ("curl -T - URL/up", "PUT /up HTTP/1.1\nTransfer-Encoding: chunked\nfrom input".to_owned()),
        ("curl -u me:pw URL", "GET / HTTP/1.1\nAuthorization: Basic bWU6cHc=\n".to_owned()),
        ("curl -H X-A:~1 -H X-B; -b c=d -e r URL", "GET / HTTP/1.1\nReferer: r\nCookie: c=d\nX-A: 1\nX-B: \n".to_owned()),
        ("curl -r 2-5 --compressed URL", "GET / HTTP/1.1\nAccept-Encoding: deflate, gzip\nRange: bytes=2-5\n".to_owned()),
        ("curl -sL -d x URL/302", "GET /end HTTP/1.1\n".to_owned()),
        ("curl -sL -c jar -b none URL/302", "GET /end HTTP/1.1\nCookie: a=1\n".to_owned()),
        ("curl -sL -d x URL/307", format!("POST /end HTTP/1.1\nContent-Length: 1\n{form}x")),
        ("wget -q -O - --header=X-A:~1 --post-data=a=1 URL/x", "POST /x HTTP/1.1\nAccept-Encoding: identity\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 3\nX-A: 1\na=1".to_owned()),
        ("wget -qO- URL/302", "GET /end HTTP/1.1\nAccept-Encoding: identity\nCookie: a=1\n".to_owned()),
    ] {
        let ran = run(folder.path(), &url, line, "from input");
        assert_eq!(ran.stdout.replace("X-B:\n", "X-B: \n"), expected, "{line}: {}", ran.stderr);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{line}");
    }
    let ran = run(folder.path(), &url, "curl -F a=1 -F b=@f;type=x/y URL", "");
    for part in [
        "multipart/form-data; boundary=",
        "name=\"a\"",
        "filename=\"f\"",
        "x/y",
        "a b\nc",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let jar = std::fs::read_to_string(folder.path().join("jar")).unwrap();
    assert!(jar.contains("\ta\t1"), "{jar}");
}

#[test]
fn what_comes_of_it() {
    let (folder, url) = (tempfile::tempdir().unwrap(), server());
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    for (line, status, stdout, stderr) in [
        ("curl URL/404", 0, "none\n", ""),
        (
            "curl -f URL/404",
            22,
            "",
            "curl: (22) The requested URL returned error: 404\n",
        ),
        ("curl -sf URL/404", 22, "", ""),
        (
            "curl -sS --fail-with-body URL/404",
            22,
            "none\n",
            "curl: (22) The requested URL returned error: 404\n",
        ),
        (
            "curl -s -o /dev/null -w %{http_code}~%{num_redirects} -L URL/302",
            0,
            "200 1",
            "",
        ),
        (
            "curl -s -w %{redirect_url} URL/302 -o /dev/null",
            0,
            "REDIRECT",
            "",
        ),
        (
            "curl -sS -L --max-redirs 2 URL/loop",
            47,
            "",
            "curl: (47) Maximum (2) redirects followed\n",
        ),
        (
            "curl -sI URL/ten",
            0,
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
            "",
        ),
        (
            "curl -si URL/ten",
            0,
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
            "",
        ),
        (
            "curl --retry 3 --retry-delay 0.01 -s -o out -w %{http_code} URL/flaky",
            0,
            "200",
            "",
        ),
        (
            "curl",
            2,
            "",
            "curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
        ),
        (
            "curl --foo",
            2,
            "",
            "curl: option --foo: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
        ),
        (
            "curl ftp://x",
            1,
            "",
            "curl: (1) Protocol \"ftp\" not supported\n",
        ),
        (
            "curl -x http://p URL",
            2,
            "",
            "curl: (2) a proxy cannot be used here: the host connects directly\n",
        ),
        (
            "curl -d @nowhere URL",
            26,
            "",
            "curl: (26) Failed to open nowhere: No such file or directory\n",
        ),
        ("curl -s https://127.0.0.1:1/", 35, "", ""),
        ("wget -q URL/404", 8, "", ""),
        ("wget -q --spider URL/ten", 0, "", ""),
        (
            "wget -r URL",
            1,
            "",
            "wget: recursive retrieval and background work are not available here\n",
        ),
    ] {
        let ran = run(folder.path(), &url, line, "");
        let stdout = stdout.replace("REDIRECT", &format!("{url}/end"));
        assert_eq!(
            (ran.status, ran.stdout, ran.stderr.as_str()),
            (status, stdout, stderr),
            "{line}"
        );
    }
    let ran = run(folder.path(), &url, &format!("curl -sS {closed}"), "");
    assert_eq!(ran.status, 7);
    assert!(
        ran.stderr
            .starts_with("curl: (7) Failed to connect to 127.0.0.1 port "),
        "{}",
        ran.stderr
    );
}

#[test]
fn files() {
    let (folder, url) = (tempfile::tempdir().unwrap(), server());
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let go = |line: &str| {
        let ran = run(folder.path(), &url, line, "");
        assert_eq!(ran.status, 0, "{line}: {}", ran.stderr);
        ran
    };
    go("curl -sO URL/a/ten.txt?x -o b URL/b");
    assert!(read("ten.txt").starts_with("GET /a/ten.txt?x") && read("b").starts_with("GET /b"));
    go("curl -s --create-dirs -o d/e/f URL/ten");
    assert_eq!(read("d/e/f"), "0123456789");
    go("curl -sOJ URL/named");
    assert!(read("given.txt").starts_with("GET /named"));
    assert_eq!(
        run(folder.path(), &url, "curl -sOJ URL/named", "").status,
        23
    );
    std::fs::write(folder.path().join("ten"), "0123").unwrap();
    go("curl -sO -C - URL/ten");
    assert_eq!(read("ten"), "0123456789");
    go("curl -sR -o new URL/new");
    let modified = std::fs::metadata(folder.path().join("new"))
        .unwrap()
        .modified()
        .unwrap();
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs(), 784_111_777);

    let ran = go("wget URL/ten");
    assert_eq!(read("ten.1"), "0123456789", "no file is overwritten");
    for part in [
        "awaiting response... 200 OK",
        "Saving to: \u{2018}ten.1\u{2019}",
        "saved [10/10]",
    ] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    go("wget -q -P p/q URL/x/?y=1");
    assert!(read("p/q/index.html?y=1").starts_with("GET /x/?y=1"));
    go("wget -q -O all URL/ten URL/ten");
    assert_eq!(read("all"), "01234567890123456789");
    std::fs::write(folder.path().join("ten"), "0123").unwrap();
    go("wget -q -c URL/ten");
    assert_eq!(read("ten"), "0123456789");
    go("wget -q -nc URL/ten");
    go("wget -q -N URL/new");
    assert_eq!(read("new"), "new");
    go("wget -nv -N URL/new");
}

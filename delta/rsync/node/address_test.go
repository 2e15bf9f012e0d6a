package node

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddress(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     Address
		text     string
	}{
		{"host", "a.mirror.com", Address{Kind: SSH, Host: "a.mirror.com", Path: "/r/"}, "a.mirror.com:/r/"},
		{"host and colon", "a.mirror.com:", Address{Kind: SSH, Host: "a.mirror.com", Path: "/r/"}, "a.mirror.com:/r/"},
		{"user and host", "me@a", Address{Kind: SSH, User: "me", Host: "a", Path: "/r/"}, "me@a:/r/"},
		{"ssh path", "deploy@b.mirror.com:/srv/www/", Address{Kind: SSH, User: "deploy", Host: "b.mirror.com", Path: "/srv/www/"}, "deploy@b.mirror.com:/srv/www/"},
		{"path without its slash", "b:/srv/www", Address{Kind: SSH, Host: "b", Path: "/srv/www/"}, "b:/srv/www/"},
		{"below the home", "b:www", Address{Kind: SSH, Host: "b", Path: "www/"}, "b:www/"},
		{"another name of the home", "b:.", Address{Kind: SSH, Host: "b", Path: "./"}, "b:./"},
		{"path with blanks, quotes and colons", `b:/s r/$(x)'":y`, Address{Kind: SSH, Host: "b", Path: `/s r/$(x)'":y/`}, `b:/s r/$(x)'":y/`},
		{"domain user", `me@corp@b:/x`, Address{Kind: SSH, User: "me@corp", Host: "b", Path: "/x/"}, "me@corp@b:/x/"},
		{"at sign in the path", "b:/x@y", Address{Kind: SSH, Host: "b", Path: "/x@y/"}, "b:/x@y/"},
		{"an address in the path", "b:/x@::1", Address{Kind: SSH, Host: "b", Path: "/x@::1/"}, "b:/x@::1/"},
		{"brackets in the path", "b:/x[1]", Address{Kind: SSH, Host: "b", Path: "/x[1]/"}, "b:/x[1]/"},
		{"module", "c.mirror.com::www/site/", Address{Kind: Daemon, Host: "c.mirror.com", Path: "www/site/"}, "c.mirror.com::www/site/"},
		{"module alone", "me@c::www", Address{Kind: Daemon, User: "me", Host: "c", Path: "www/"}, "me@c::www/"},
		{"URL", "rsync://push@d.mirror.com:8873/www/", Address{Kind: Daemon, User: "push", Host: "d.mirror.com", Port: 8873, Path: "www/"}, "rsync://push@d.mirror.com:8873/www/"},
		{"URL with the usual port", "rsync://d:873/www", Address{Kind: Daemon, Host: "d", Path: "www/"}, "d::www/"},
		{"URL without port", "rsync://d/www/a b", Address{Kind: Daemon, Host: "d", Path: "www/a b/"}, "d::www/a b/"},
		{"URL with a colon in the path", "rsync://d/www/a:b@c", Address{Kind: Daemon, Host: "d", Path: "www/a:b@c/"}, "d::www/a:b@c/"},
		{"local", "/mnt/backup/www/", Address{Kind: Local, Path: "/mnt/backup/www/"}, "/mnt/backup/www/"},
		{"local, untidy", "//mnt/./backup//www", Address{Kind: Local, Path: "/mnt/backup/www/"}, "/mnt/backup/www/"},
		{"local, with a parent", "/mnt/../www", Address{Kind: Local, Path: "/mnt/../www/"}, "/mnt/../www/"},
		{"local with a colon", "/mnt/a:b", Address{Kind: Local, Path: "/mnt/a:b/"}, "/mnt/a:b/"},
		{"local with two colons", "/mnt/a::b", Address{Kind: Local, Path: "/mnt/a::b/"}, "/mnt/a::b/"},
		{"root", "/", Address{Kind: Local, Path: "/"}, "/"},
		{"IPv4", "192.0.2.1", Address{Kind: SSH, Host: "192.0.2.1", Path: "/r/"}, "192.0.2.1:/r/"},
		{"IPv6", "[2001:DB8::1]", Address{Kind: SSH, Host: "2001:db8::1", Path: "/r/"}, "[2001:db8::1]:/r/"},
		{"IPv6 and path", "me@[2001:db8::1]:/x", Address{Kind: SSH, User: "me", Host: "2001:db8::1", Path: "/x/"}, "me@[2001:db8::1]:/x/"},
		{"IPv6 and module", "[fe80::1%eth0]::www", Address{Kind: Daemon, Host: "fe80::1%eth0", Path: "www/"}, "[fe80::1%eth0]::www/"},
		{"IPv6 in a URL", "rsync://me@[::1]:8873/www/x", Address{Kind: Daemon, User: "me", Host: "::1", Port: 8873, Path: "www/x/"}, "rsync://me@[::1]:8873/www/x/"},
		{"hexadecimal host with a module", "cafe::dead/", Address{Kind: Daemon, Host: "cafe", Path: "dead/"}, "cafe::dead/"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseAddress(tc.in, "/r")
			if err != nil {
				t.Fatalf("ParseAddress(%q): got error %v", tc.in, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("ParseAddress(%q): got + want -:\n%s", tc.in, diff)
			}
			if got.String() != tc.text {
				t.Errorf("String(%q): got %q, want %q", tc.in, got.String(), tc.text)
			}
		})
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", "", "is empty"},
		{"control character", "a\nb:/x", "has a control character"},
		{"relative path", "srv/www", "a local path must be absolute"},
		{"relative path with a dot", "./www", "a local path must be absolute"},
		{"slash before the colon", "srv/a:b", "a local path must be absolute"},
		{"home", "~/www", "a local path must be absolute"},
		{"dot", ".", `"." is no host name`},
		{"option for a host", "-oProxyCommand=x:/x", `"-oProxyCommand=x" is no host name`},
		{"option for a host after a user", "me@-x:/x", `"-x" is no host name`},
		{"option for a user", "-lroot@a:/x", `"-lroot" is no user name`},
		{"no user", "@a:/x", `"" is no user name`},
		{"blank in the host", "a b:/x", `"a b" is no host name`},
		{"blank before the path", "a : /x", `"a " is no host name`},
		{"shell in the host", "a;b", `"a;b" is no host name`},
		{"no host", ":/x", `"" is no host name`},
		{"no host for a module", "::www", `"" is no host name`},
		{"no module", "a::", "names no module of the rsync daemon"},
		{"slash for a module", "a::/www", "names no module of the rsync daemon"},
		{"dots for a module", "a::../x", `".." is no module of an rsync daemon`},
		{"pattern in a module", "a::www/x*", "has one of * ? [ in its path, which the rsync daemon would expand: make the directory a module of its own"},
		{"pattern in a URL", "rsync://a/www/[x]/", "has one of * ? [ in its path, which the rsync daemon would expand: make the directory a module of its own"},
		{"no module in a URL", "rsync://a/", "names no module of the rsync daemon"},
		{"only a host in a URL", "rsync://a", "names no module of the rsync daemon"},
		{"other URL", "ssh://a/x", "only rsync:// is known of the URLs"},
		{"port zero", "rsync://a:0/x", "the port must be a number from 1 to 65535"},
		{"port too large", "rsync://a:65536/x", "the port must be a number from 1 to 65535"},
		{"no port after the colon", "rsync://a:/x", "the port must be a number from 1 to 65535"},
		{"signed port", "rsync://a:+1/x", "the port must be a number from 1 to 65535"},
		{"password", "rsync://me:geheim@a/x", "a password does not belong here: put it in a file and name that with password_file"},
		{"bare IPv6", "2001:db8::1", "an IPv6 address must stand in brackets"},
		{"bare IPv6 and path", "me@2001:db8::1:/x", "an IPv6 address must stand in brackets"},
		{"IPv4 in brackets", "[192.0.2.1]:/x", `"[192.0.2.1]" is no IPv6 address in brackets`},
		{"open bracket", "[::1", `"[" is no IPv6 address in brackets`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseAddress(tc.in, "/r/")
			if err == nil {
				t.Fatalf("ParseAddress(%q): got %q, want error %q", tc.in, got, tc.want)
			}
			if err.Error() != tc.want {
				t.Errorf("ParseAddress(%q): got error %q, want %q", tc.in, err, tc.want)
			}
		})
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"a", "a:", "u@a:/x", "a:x", "a::m/x", "rsync://u@a:1/m", "/x", "[::1]:x", "u@[::1%1]::m", "::1", "a:::m", "[[:", "@]:[",
		"deploy@b.mirror.com:/srv/www/", "c.mirror.com::www/site/", "rsync://push@d.mirror.com:8873/www/", "/mnt/backup/www/",
		"root@[2001:db8::7]:/srv/", "rsync://[2001:db8::7]:873/m/a b/", "a.mirror.com:~/www", "10.0.0.7::m",
	} {
		f.Add(s, "/r/")
	}
	f.Fuzz(func(t *testing.T, s, rpath string) {
		a, err := ParseAddress(s, rpath)
		if err != nil {
			return
		}
		if !strings.HasSuffix(a.Path, "/") || strings.HasPrefix(a.String(), "-") {
			t.Fatalf("ParseAddress(%q): got %q", s, a)
		}
		again, err := ParseAddress(a.String(), "/other/")
		if err != nil || again != a {
			t.Fatalf("ParseAddress(%q): got %#v, %v, want %#v", a.String(), again, err, a)
		}
	})
}

// Only the way by ssh leaves wildcards to a shell; there they are escaped.
func TestOperand(t *testing.T) {
	for name, tt := range map[string]struct {
		address Address
		want    string
	}{
		"ssh":    {Address{Kind: SSH, User: "u", Host: "h", Path: "/a*b?[c]\\d e/"}, `u@h:/a\*b\?\[c\]\d e/`},
		"IPv6":   {Address{Kind: SSH, Host: "::1", Path: "/[x]/"}, `[::1]:/\[x\]/`},
		"local":  {Address{Kind: Local, Path: "/a*b/"}, "/a*b/"},
		"daemon": {Address{Kind: Daemon, Host: "h", Path: "m/x/"}, "h::m/x/"},
	} {
		if got := tt.address.Operand(); got != tt.want {
			t.Errorf("Operand, %s: got %q, want %q", name, got, tt.want)
		}
	}
}

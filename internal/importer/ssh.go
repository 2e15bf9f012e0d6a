package importer

import (
	"path"
	"strconv"
	"strings"
)

// ssh is the block of that name, which is made when it is needed.
func (o *options) ssh() *block {
	if n := o.keys.get("ssh"); n != nil {
		return &block{*n}
	}
	return &block{}
}

func (o *options) setSSH(key string, v any) {
	b := o.ssh()
	b.set(key, v)
	o.keys.set("ssh", b)
}

// shell reads a remote shell with its options.
func (o *options) shell(words []string) {
	if len(words) == 0 {
		return
	}
	if path.Base(words[0]) != "ssh" {
		o.setSSH("command", words[0])
	}
	for i := 1; i < len(words); i++ {
		w := words[i]
		if len(w) < 2 || w[0] != '-' || strings.IndexByte("pilo", w[1]) < 0 {
			o.note("the ssh option %q", w)
			continue
		}
		letter, content := w[1], w[2:]
		if content == "" && i+1 < len(words) {
			i++
			content = words[i]
		}
		o.shellOption(letter, content)
	}
}

func (o *options) shellOption(letter byte, content string) {
	switch {
	case letter == 'p':
		o.port(content)
	case letter == 'i' && path.IsAbs(content):
		o.setSSH("identity_file", content)
	case letter == 'i':
		o.note("the ssh key %q: name it by its absolute path in ssh: identity_file", content)
	case letter == 'l' && content != "":
		o.setSSH("user", content)
	case letter == 'o':
		o.sshOption(content)
	default:
		o.note("the ssh option -%c %q", letter, content)
	}
}

func (o *options) port(text string) {
	if n, err := strconv.ParseUint(text, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != text {
		o.note("the ssh port %q", text)
		return
	}
	o.setSSH("port", word(text))
}

// sshOption reads what stands after -o. What would accept any host is left
// out: inosyncd connects to hosts that are known.
func (o *options) sshOption(option string) {
	key, content, ok := strings.Cut(option, "=")
	switch {
	case !ok || key == "" || content == "":
		o.note("the ssh option %q", option)
	case strings.EqualFold(key, "StrictHostKeyChecking"), content == "/dev/null":
		o.note("the ssh option %s: make the node's host key known instead", option)
	default:
		b := o.ssh()
		b.add("options", option)
		o.keys.set("ssh", b)
	}
}

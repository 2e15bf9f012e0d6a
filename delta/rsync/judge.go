package rsync

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"inosyncd/delta/rsync/process"
	"inosyncd/internal/printable"
	"inosyncd/internal/push"
)

// verdict is what the end of a run means.
type verdict struct {
	outcome push.Outcome
	err     error
	cure    string
}

// class is a line of the table of ends. It applies to an exit status, and
// where text is given only if one of the lines that were printed holds it.
type class struct {
	code    int // any when negative
	text    string
	outcome push.Outcome
	cure    string
}

// What the C library of the node says to ENOSPC and EDQUOT, errno(3).
const (
	noSpace = "No space left on device"
	noQuota = "Disk quota exceeded"
)

// NoProgram is the cure where the login's shell does not find rsync.
const NoProgram = "install rsync on the node, or name it with rsync_args: [--rsync-path=...]"

// noRoom is the error of a run that the node had no room for.
type noRoom struct{ error }

// classes are tried in order; the first that applies counts. The codes are
// under EXIT VALUES in rsync(1). What one code covers is told apart by text:
// rsyncd(5)'s refusals are all 5, and much of what ssh says is 12 or 255.
var classes = []class{
	{0, "", push.Done, ""},

	// Not the whole of it. These come first, for their messages hold names,
	// and a name can be any text.
	{23, noSpace, push.Partly, "make room on the node"},
	{23, noQuota, push.Partly, "make room on the node or raise the quota there"},
	{23, "Read-only file system", push.Partly, "mount the node's file system for writing"},
	{23, "Operation not supported", push.Partly, "the node's file system takes no such attributes: turn xattrs or acls off"},
	{23, "could not make way for", push.Partly, "a directory on the node is in the way of a file: look for excluded files in it, or set delete: true"},
	{23, "File name too long", push.Partly, tooLong},
	{23, "filename overflows max-path", push.Partly, tooLong},
	{23, "[sender] send_files failed to open", push.Partly, "let the user that runs rsync read the files of the source"},
	{23, "[sender] opendir", push.Partly, "let the user that runs rsync read the directories of the source"},
	{23, "Permission denied (13)", push.Partly, "let the node's user write to its directory"},
	{23, "Operation not permitted (1)", push.Partly, "the node's user may not set this: turn owner, group or perms off, or log in as another"},
	{23, "", push.Partly, ""},
	{24, "", push.Done, ""},
	{codeLimit, "", push.Partly, "more vanished from the source than was counted before: it is counted anew at the next try"},

	// From ssh, whose messages are in English under LC_ALL=C.
	{-1, "REMOTE HOST IDENTIFICATION HAS CHANGED", push.Hold, "the node's host key has changed: find out why, then replace it in known_hosts"},
	{-1, "Host key verification failed", push.Hold, "add the node's host key to known_hosts (ssh-keyscan, compared with the node's own)"},
	{-1, ": Permission denied (", push.Hold, "let the node accept this machine's ssh key (authorized_keys there, ssh: identity_file here)"},
	{-1, "Too many authentication failures", push.Hold, "name the key to use with ssh: identity_file"},
	{-1, "Could not resolve hostname", push.Again, "check the node's host name and the name service"},
	{-1, "Bad configuration option", push.Hold, "correct ssh: options"},
	{-1, "command-line: line 0", push.Hold, "correct ssh: options"},
	{-1, "invalid rsync-command", push.Hold, "the node's rrsync refuses this rsync command: allow it or drop the option it names"},

	// From rsync daemons.
	{5, "max connections", push.Again, "raise max connections in the node's rsyncd.conf"},
	{5, "auth failed", push.Hold, "check the user in the address, password_file, and the node's secrets file"},
	{5, "Unknown module", push.Hold, "check the module's name against the node's rsyncd.conf"},
	{5, "access denied", push.Hold, "let this machine in with hosts allow in the node's rsyncd.conf"},
	{5, "chroot failed", push.Hold, "make the module's path on the node"},
	{5, "chdir failed", push.Hold, "make the module's path on the node"},
	{5, "", push.Hold, "read the rsync daemon's log on the node"},
	{-1, "module is read only", push.Hold, "set read only = no for the module in the node's rsyncd.conf"},
	{-1, "are not supported on this server", push.Hold, "the node's rsync is built without them: turn xattrs or acls off"},
	{4, "", push.Hold, "the node refuses an option (refuse options in its rsyncd.conf): allow it, or turn it off here"},

	// From the system.
	{-1, "Connection refused", push.Again, "check that the node's rsync daemon or sshd runs, and its port"},
	{-1, "No route to host", push.Again, "check that the node is up and reachable"},
	{-1, "Network is unreachable", push.Again, "check the network"},
	{-1, "Connection timed out", push.Again, "check that the node is up and no firewall drops the connection"},
	{10, "getaddrinfo", push.Again, "check the node's host name and the name service"},
	{10, "", push.Again, "check that the node is up and reachable"},
	{30, "", push.Again, "check that the node is up; a slow disk there may need a longer timeout"},
	{35, "", push.Again, "check that the node is up and no firewall drops the connection"},
	{3, "", push.Hold, "check that the directory above the node's path exists and can be written to"},
	{11, noSpace, push.Again, "make room on the node"},
	{11, noQuota, push.Again, "make room on the node or raise the quota there"},
	{11, "Read-only file system", push.Again, "mount the node's file system for writing"},
	{11, "mkdir", push.Hold, "make the directory above the node's path"},
	{11, "change_dir", push.Hold, "make the node's path a directory"},
	{11, "", push.Again, "check the node's file system"},

	// What does not fit together.
	{-1, "Failed to exec", push.Hold, "install ssh, or name it with ssh: command"},
	{-1, "unknown option", push.Hold, "the node's rsync is too old for an option that is used: upgrade it or turn the option off"},
	{-1, "unknown checksum", push.Hold, "the node's rsync does not know that checksum: change rsync_args"},
	{-1, "unknown compress", push.Hold, "the node's rsync does not know that compression: change rsync_args"},
	{2, "is your shell clean", push.Hold, "the node's login prints text: keep its shell silent for commands"},
	{1, "", push.Hold, "check rsync_args"},
	{2, "", push.Hold, "the two rsyncs do not understand each other: upgrade the older one"},
	{6, "", push.Hold, "upgrade the node's rsync"},
	{13, "", push.Again, ""},
	{126, "", push.Hold, "the node cannot run rsync: check its permissions"},
	{12, "env: ", push.Hold, "install ssh, or name it with ssh: command"},
	{127, "env: ", push.Hold, "install ssh, or name it with ssh: command"},
	{12, ": not found", push.Hold, NoProgram}, // as 127 is if rsync ends before ssh does
	{12, "command not found", push.Hold, NoProgram},
	{12, "rsync: No such file or directory", push.Hold, NoProgram},
	{127, "", push.Hold, NoProgram},
	{12, "connection unexpectedly closed", push.Again, "look into the log of the node's sshd or rsync daemon: it closed the connection"},
	{255, "", push.Again, "check that ssh reaches the node: ssh HOST true"},
	{-1, "", push.Again, ""},
}

func (c *class) applies(e *process.Exit) bool {
	if c.code >= 0 && c.code != e.Code || e.Code == 0 && c.code != 0 {
		return false
	}
	if c.text == "" {
		return true
	}
	for _, note := range e.Notes {
		if strings.Contains(note, c.text) {
			return true
		}
	}
	return false
}

// judge says what an end means.
func judge(e *process.Exit) verdict {
	if e.Cause != nil {
		return stopped(e.Cause)
	}
	for i := range classes {
		c := &classes[i]
		if !c.applies(e) {
			continue
		}
		v := verdict{outcome: c.outcome, cure: c.cure}
		if v.outcome != push.Done {
			v.err = fmt.Errorf("rsync: %s (exit code %d)", gist(e, c.text), e.Code)
		}
		if c.text == noSpace || c.text == noQuota {
			v.err = noRoom{v.err}
		}
		return v
	}
	panic("the table of ends has no last line")
}

// stopped is the verdict on a run that was ended from here.
func stopped(cause error) verdict {
	v := verdict{outcome: push.Again, err: cause}
	switch {
	case errors.Is(cause, process.ErrIdle):
		v.cure = "check the node and the network; a longer timeout may be needed"
	case errors.Is(cause, process.ErrFlood):
		v.cure = "find out what the node runs in place of rsync"
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded):
		v.err = fmt.Errorf("ending rsync: %w", cause)
	}
	return v
}

// place is where in rsync's source a message comes from, which tells nothing
// to the one who reads the error.
var place = regexp.MustCompile(` \(code \d+\) at \S+\(\d+\) \[[^]]*\]$`)

// gist is what an error says of what rsync printed: the line that the class
// was found by, else the first that says what went wrong.
func gist(e *process.Exit, text string) string {
	best, rank := "it printed no message", 0
	for _, note := range e.Notes {
		if r := weight(note, text); r > rank {
			best, rank = note, r
		}
	}
	best = strings.TrimPrefix(place.ReplaceAllString(best, ""), "rsync: ")
	return printable.Clip(printable.Escape(best))
}

func weight(note, text string) int {
	switch {
	case strings.TrimSpace(note) == "":
		return 0
	case text != "" && strings.Contains(note, text):
		return 5
	case strings.HasPrefix(note, "@ERROR"), strings.HasPrefix(note, "rsync: ["):
		return 4
	case strings.HasPrefix(note, "rsync error:"):
		return 1
	case strings.HasPrefix(note, "rsync: connection unexpectedly closed"):
		return 2
	default:
		return 3
	}
}

// NeedsProgram is the cure for an rsync that is missing here or too old, as err says.
func NeedsProgram(err error) string {
	return "install rsync " + process.Needs(err) + " or newer, or name it with the key rsync"
}

// Judge says what a push comes to whose rsync ends like that: the outcome, and
// unless that is Done the error and its cure.
func Judge(e *process.Exit) push.Result { return judge(e).result() }

// Unstarted says what a push comes to whose rsync could not be started.
func Unstarted(err error) push.Result { return unstarted(err).result() }

func (v verdict) result() push.Result {
	return push.Result{Outcome: v.outcome, Err: v.err, Cure: v.cure}
}

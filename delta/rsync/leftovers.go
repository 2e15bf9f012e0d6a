package rsync

import "strings"

// delayedDir is where rsync keeps the files of a push with --delay-updates until
// its end, unless there is a directory for partial ones: rsync(1).
const delayedDir = ".~tmp~"

// leftovers returns the rules that have a run remove what pushes that broke off have
// left at the node. Rules protect the directories of unfinished files, so that
// what is in them can serve the file that it is for. When all of a node has been
// made equal, there is no such file any more. rsync removes them after it has put
// everything in place, as --delete-delay has it (rsync(1), --partial-dir).
//
// Temporary files, ".name.XXXXXX", need no rule: nothing protects them.
func (e *Engine) leftovers(m mode) []string {
	if !m.leftovers {
		return nil
	}
	args := []string{"--filter=R " + partialDir + "/"}
	if e.o.DelayUpdates {
		args = append(args, "--filter=R "+delayedDir+"/")
	}
	return args
}

// leftover reports whether name is in one of those directories, or is one.
func leftover(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == partialDir || part == delayedDir {
			return true
		}
	}
	return false
}

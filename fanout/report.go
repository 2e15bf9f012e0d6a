package fanout

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"inosyncd/internal/push"
)

// why is the error of a push that did not succeed.
func why(res push.Result) error {
	if res.Err == nil {
		return errors.New("the push failed for an unknown reason")
	}
	return res.Err
}

// told is the end of a push, for the log.
type told struct {
	res       push.Result
	next      time.Time // of the next try
	cancelled bool      // from here: no failure
	overcome  bool      // nothing of what failed or was held is left

	drift push.Found // that an audit has found, and made equal
}

// lastSaid is the trouble that was last reported: a hold that goes on is news
// once, as nothing is expected of looking at it again.
type lastSaid struct {
	outcome push.Outcome
	what    string // "" when there is none
}

// report writes the one line that a push gets, and "recovered" after trouble;
// before it what was found amiss, whatever the push came to.
func (n *node) report(t told) {
	if t.drift.Len() > 0 {
		n.reportDrift(t.drift)
	}
	if t.cancelled {
		n.log.Debug("push cancelled")
		return
	}
	if t.res.Outcome != push.Done {
		n.reportTrouble(t)
		return
	}
	switch {
	case t.res.Pretended: // and told by who did
	case t.res.Paths == 0: // nothing was there to push
		n.log.Debug("nothing pushed", "took", t.res.Took)
	default:
		n.log.Info("pushed", "paths", t.res.Paths, "bytes", t.res.Bytes, "deleted", t.res.Deleted, "took", t.res.Took)
	}
	if t.overcome && n.said.what != "" {
		n.said = lastSaid{}
		n.log.Info("recovered")
	}
}

func (n *node) reportTrouble(t told) {
	err := why(t.res)
	said := lastSaid{t.res.Outcome, err.Error()}
	news := n.said != said
	n.said = said
	if t.res.Outcome == push.Hold {
		level := slog.LevelDebug
		if news {
			level = slog.LevelError
		}
		n.log.Log(context.Background(), level, "held", "reason", err.Error(), "cure", t.res.Cure)
		return
	}
	attrs := []any{"err", err, "next_try", t.next}
	if t.res.Cure != "" {
		attrs = append(attrs, "cure", t.res.Cure)
	}
	n.log.Error("push failed", attrs...)
}

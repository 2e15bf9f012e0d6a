package fanout

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// jitter is the part by which a delay varies, up and down, so that nodes that
// failed together do not come back together.
const jitter = 0.2

// newBackOff returns the delays between the tries of one node: RetryMin to
// begin with, doubled each time, for ever. The library caps a delay before it
// varies it, hence the smaller cap here.
func newBackOff(o NodeOptions) *backoff.ExponentialBackOff {
	longest := time.Duration(float64(o.RetryMax) / (1 + jitter))
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(min(o.RetryMin, longest)),
		backoff.WithMaxInterval(longest),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(jitter),
		backoff.WithMaxElapsedTime(0), // its default gives up after 15 min
	)
}

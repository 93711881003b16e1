import { useEffect, useState } from 'react';

/** The server's time in milliseconds, once a second. */
export function useNow(clockOffsetMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return now + clockOffsetMs;
}

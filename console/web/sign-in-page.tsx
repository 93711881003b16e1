import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { findNext } from '../api/next.ts';
import type { SessionView } from '../api/views.ts';
import { get, post } from './api.ts';
import { Entrance } from './entrance.tsx';

/** User name and password; then back to where one came from. */
export function SignInPage() {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const session = useQuery({
    queryKey: ['session'],
    queryFn: async () => (await get('/api/session')) as SessionView,
  });
  const signIn = useMutation({
    mutationFn: () => post('/login', { username, password }),
    onSuccess: () =>
      window.location.replace(findNext(new URLSearchParams(window.location.search).get('next'))),
    onError: () => setPassword(''),
  });
  const setupRequired = session.data?.setupRequired === true;

  return (
    <Entrance
      title="Sign in"
      intro={
        setupRequired
          ? 'There is no administrator yet. Open the setup link that Hilum printed when it started, or restart Hilum to get a new one.'
          : 'The console and the flow editor share this sign-in.'
      }
      error={signIn.error}
    >
      {!setupRequired && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            signIn.mutate();
          }}
        >
          <Stack gap="md">
            <TextInput
              label="User name"
              name="username"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              autoFocus
              required
              withAsterisk={false}
              value={username}
              onChange={(event) => setUsername(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              name="password"
              autoComplete="current-password"
              required
              withAsterisk={false}
              visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            <Button type="submit" loading={signIn.isPending || signIn.isSuccess}>
              Sign in
            </Button>
          </Stack>
        </form>
      )}
    </Entrance>
  );
}

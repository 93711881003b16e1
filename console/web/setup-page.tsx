import { Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { passwordLength, type SessionView } from '../api/views.ts';
import { get, post } from './api.ts';
import { Entrance } from './entrance.tsx';

/** Makes the first administrator, with the token that stands after the # of the setup link. */
export function SetupPage() {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const token = window.location.hash.slice(1);
  const session = useQuery({
    queryKey: ['session'],
    queryFn: async () => (await get('/api/session')) as SessionView,
  });
  const setUp = useMutation({
    mutationFn: () => post('/setup', { token, username, password }),
    onSuccess: () => window.location.replace('/'),
  });
  const done = session.data?.setupRequired === false && !setUp.isSuccess;
  const differs = repeated !== password;
  const short = password !== '' && Array.from(password).length < passwordLength.min;

  if (done || token === '') {
    return (
      <Entrance
        title="Setup"
        error={null}
        intro={
          done
            ? 'The first administrator exists already, and this link is void.'
            : 'Open the whole setup link that Hilum printed when it started: the part after the # is missing here.'
        }
      >
        <Anchor href="/login">Go to sign in</Anchor>
      </Entrance>
    );
  }
  return (
    <Entrance
      title="First administrator"
      intro="This account may do everything in the console and the flow editor. The link works once."
      error={setUp.error}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!differs && !short) setUp.mutate();
        }}
      >
        <Stack gap="md">
          <TextInput
            label="User name"
            description="Letters, digits and . _ @ -"
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
            description={`At least ${passwordLength.min} characters; a few words are easy to remember`}
            name="password"
            autoComplete="new-password"
            required
            withAsterisk={false}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
            error={short && `Too short: at least ${passwordLength.min} characters`}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password again"
            name="repeated"
            autoComplete="new-password"
            required
            withAsterisk={false}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the repeated password' }}
            error={repeated !== '' && differs && 'Not the same as above'}
            value={repeated}
            onChange={(event) => setRepeated(event.currentTarget.value)}
          />
          <Button type="submit" loading={setUp.isPending || setUp.isSuccess}>
            Create and sign in
          </Button>
        </Stack>
      </form>
    </Entrance>
  );
}

import './mantine.css';
import './styles.css';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api.ts';
import { ConsolePage } from './console-page.tsx';
import { SetupPage } from './setup-page.tsx';
import { SignInPage } from './sign-in-page.tsx';
import { readableGreys, theme } from './theme.ts';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1000,
      // What the API refused it will refuse again; what did not arrive may arrive.
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status > 0),
    },
  },
});

function Page() {
  switch (window.location.pathname) {
    case '/login':
      return <SignInPage />;
    case '/setup':
      return <SetupPage />;
    default:
      return <ConsolePage />;
  }
}

const root = document.getElementById('root');
if (root === null) throw new Error('Expected an element with the id "root" in index.html.');
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={readableGreys}>
      <QueryClientProvider client={queries}>
        <Page />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);

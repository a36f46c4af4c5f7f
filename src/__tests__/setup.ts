/** What every unit test starts from. */
import { configure } from '@testing-library/react';

configure({ testIdAttribute: 'data-testid' });

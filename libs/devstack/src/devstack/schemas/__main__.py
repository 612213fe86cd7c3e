from devstack.schemas.command import main

raise SystemExit(main())

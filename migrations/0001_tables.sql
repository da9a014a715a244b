-- The tables. event_id and event_at say which event a row shows: the clock of a last-writer-wins register.
--
-- `consumer migrate` runs this. What is there already stays as it is. Times are UTC.

IF OBJECT_ID(N'dbo.users', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.users (
    user_id    uniqueidentifier NOT NULL CONSTRAINT pk_users PRIMARY KEY,
    email      nvarchar(255)    NOT NULL,
    email_key  nvarchar(255)    COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT uq_users_email UNIQUE,   -- normalised by us, so that every store agrees
    first_name nvarchar(100)    NOT NULL,
    last_name  nvarchar(100)    NOT NULL,
    created_at datetime2(6)     NOT NULL,
    event_id   uniqueidentifier NOT NULL,
    event_at   datetime2(6)     NOT NULL,
    updated_at datetime2(6)     NOT NULL);

  -- GET /users/recent
  CREATE INDEX ix_users_created ON dbo.users (created_at DESC);
END;
GO

IF OBJECT_ID(N'dbo.orders', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.orders (
    order_id     uniqueidentifier NOT NULL CONSTRAINT pk_orders PRIMARY KEY,
    user_id      uniqueidentifier NOT NULL CONSTRAINT fk_orders_user REFERENCES dbo.users (user_id),
    total_amount decimal(19,4)    NOT NULL,
    currency     char(3)          NOT NULL CONSTRAINT ck_orders_currency CHECK (LEN(currency) = 3),   -- char pads what is shorter
    placed_at    datetime2(6)     NOT NULL,
    event_id     uniqueidentifier NOT NULL,
    event_at     datetime2(6)     NOT NULL,
    updated_at   datetime2(6)     NOT NULL);

  CREATE INDEX ix_orders_user_placed ON dbo.orders (user_id, placed_at DESC);
END;
GO

IF OBJECT_ID(N'dbo.order_items', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.order_items (
    order_id uniqueidentifier NOT NULL CONSTRAINT fk_order_items_order REFERENCES dbo.orders (order_id),
    line_no  int              NOT NULL,
    sku      nvarchar(50)     COLLATE Latin1_General_100_BIN2 NOT NULL,   -- SKUs compare exactly
    quantity int              NOT NULL,
    price    decimal(19,4)    NOT NULL,
    CONSTRAINT pk_order_items PRIMARY KEY (order_id, line_no));
END;
GO

IF OBJECT_ID(N'dbo.payments', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.payments (
    payment_id     uniqueidentifier NOT NULL CONSTRAINT pk_payments PRIMARY KEY,
    order_id       uniqueidentifier NOT NULL CONSTRAINT fk_payments_order REFERENCES dbo.orders (order_id),
    amount         decimal(19,4)    NOT NULL,
    currency       char(3)          NOT NULL CONSTRAINT ck_payments_currency CHECK (LEN(currency) = 3),
    payment_method nvarchar(50)     NOT NULL,
    status         nvarchar(20)     NOT NULL,
    settled_at     datetime2(6)     NOT NULL,
    event_id       uniqueidentifier NOT NULL,
    event_at       datetime2(6)     NOT NULL,
    updated_at     datetime2(6)     NOT NULL);

  CREATE INDEX ix_payments_order ON dbo.payments (order_id);
END;
GO

IF OBJECT_ID(N'dbo.inventory', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.inventory (
    sku        nvarchar(50) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT pk_inventory PRIMARY KEY,
    quantity   bigint       NOT NULL,
    updated_at datetime2(6) NOT NULL);
END;
GO

-- The ledger: every delta that was ever applied. inventory.quantity is its sum.
IF OBJECT_ID(N'dbo.inventory_adjustments', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.inventory_adjustments (
    event_id        uniqueidentifier NOT NULL CONSTRAINT pk_inventory_adjustments PRIMARY KEY,
    sku             nvarchar(50)     COLLATE Latin1_General_100_BIN2 NOT NULL,
    delta           bigint           NOT NULL,
    adjustment_type nvarchar(30)     NOT NULL,
    reason          nvarchar(255)    NOT NULL,
    adjusted_at     datetime2(6)     NOT NULL,
    event_at        datetime2(6)     NOT NULL,
    applied_at      datetime2(6)     NOT NULL);
END;
GO

-- Events waiting for something that has not happened yet. Written before the offset is committed; a release deletes the row in the
-- transaction that applies the event; an expiry first claims it (expired = 1), then pushes the dead letter, then deletes it.
IF OBJECT_ID(N'dbo.parked_events', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.parked_events (
    topic           nvarchar(249)    COLLATE Latin1_General_100_BIN2 NOT NULL,
    kafka_partition int              NOT NULL,
    kafka_offset    bigint           NOT NULL,
    kafka_key       varbinary(max)   NULL,
    kafka_at        bigint           NULL,       -- the record's own timestamp in milliseconds since 1970: any number, as producers stamp it
    retry_count     int              NOT NULL,   -- redrives so far
    event_id        uniqueidentifier NOT NULL,
    waits_for_type  tinyint          NOT NULL,   -- 1 user, 2 order, 3 e-mail
    waits_for_id    uniqueidentifier NULL,
    parked_at       datetime2(6)     NOT NULL,   -- by the database's clock, like every comparison with it
    expired         bit              NOT NULL CONSTRAINT df_parked_events_expired DEFAULT 0,
    payload         nvarchar(max)    NOT NULL,
    CONSTRAINT pk_parked_events PRIMARY KEY (topic, kafka_partition, kafka_offset));

  CREATE INDEX ix_parked_events_waits_for ON dbo.parked_events (waits_for_type, waits_for_id);

  -- The order in which events are released and given up.
  CREATE INDEX ix_parked_events_order ON dbo.parked_events (expired, parked_at, topic, kafka_partition, kafka_offset);
END;
GO
